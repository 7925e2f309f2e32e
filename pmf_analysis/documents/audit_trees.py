"""Web, Office and PDF files as trees, so that one set of XPath rules can judge them all.

Files come from anybody and may be damaged, locked, hostile or not what their name says: reading one
gives a tree, or raises :class:`UnreadableError` with the code of a rule of ``audit.yml``.
"""

import posixpath
import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pikepdf
from lxml import etree, html

_MOST_BYTES = 100_000_000  # of a file, and of all the XML in one when unpacked
_MOST_OF_PAGE = 10_000_000  # half a minute's work
_MOST_NODES, _DEEPEST, _LONGEST_XMP = 200_000, 200, 1_000_000
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # also the envelope of a newer file with a password
_FOLDERS = {"word": "word/", "excel": "xl/", "slides": "ppt/"}
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableError(Exception):
    """A file cannot be judged; its only argument is the code of the rule that says why."""


def read_file(kind: str, path: Path) -> Any:
    """Return the tree of a file; see :func:`read_tree`."""
    if kind == "old":
        raise UnreadableError("file-old")
    if path.stat().st_size > (_MOST_OF_PAGE if kind == "html" else _MOST_BYTES):
        raise UnreadableError("file-too-large")
    return read_tree(kind, path.read_bytes())


def read_tree(kind: str, content: bytes) -> Any:
    """Return the tree of a file's content, its headings marked with their levels.

    Raises
    ------
    UnreadableError
        For whatever keeps the file from being read.
    """
    if not content.strip():
        raise UnreadableError("file-empty")
    if content.startswith(_OLD_OFFICE):
        raise UnreadableError("file-locked")
    shape = "pdf" if b"%PDF-" in content[:1024] else "zip" if content[:2] == b"PK" else "html"
    if shape != (kind if kind in ("pdf", "html") else "zip"):
        raise UnreadableError("file-wrong-name")
    try:
        if shape == "pdf":
            return _pdf_tree(content)
        return _html_tree(content) if shape == "html" else _office_tree(kind, content)
    except UnreadableError:
        raise
    except Exception as error:  # whatever three libraries make of a file that anybody has made
        raise UnreadableError("file-damaged") from error


def _html_tree(content: bytes) -> Any:
    told = re.search(rb"charset\s*=\s*[\"']?([\w-]+)", content[:2048])
    is_wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    coding = "utf-16" if is_wide else told[1].decode("ascii", "replace") if told else "utf-8"
    try:
        text = content.decode(coding, errors="replace")
    except LookupError:  # no such coding
        text = content.decode(errors="replace")
    text = NOT_XML.sub("", text.lstrip("\ufeff"))
    return html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8"))


def _office_tree(kind: str, content: bytes) -> Any:
    """Return the XML parts of an Office file in one tree, without prefixes but those of links."""
    package = etree.Element("package")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    with ZipFile(BytesIO(content)) as members:
        wanted = [item for item in members.infolist() if item.filename.endswith((".xml", ".rels"))]
        if not any(item.filename.startswith(_FOLDERS[kind]) for item in wanted):
            raise UnreadableError("file-wrong-name")
        if sum(item.file_size for item in wanted) > _MOST_BYTES:
            raise UnreadableError("file-too-large")
        for name in sorted({*members.namelist()} - {item.filename for item in wanted}):
            etree.SubElement(package, "part", name=NOT_XML.sub("", name))
        for item in wanted:
            part = etree.fromstring(members.read(item), parser)
            if part.getroottree().docinfo.doctype:
                raise UnreadableError("file-entities")
            _drop_prefixes(part)
            etree.SubElement(package, "part", name=item.filename).append(part)
    _name_parts(package)
    return package


def _drop_prefixes(part: Any) -> None:
    for node in part.iter("*"):
        node.tag = etree.QName(node).localname
        for name in [name for name in node.attrib if "}" in name]:
            full = etree.QName(name)
            prefix = "r-" if str(full.namespace).endswith("relationships") else ""
            node.attrib[prefix + full.localname] = node.attrib.pop(name)


def _name_parts(package: Any) -> None:
    """Give sheets and slides the names that people know, and paragraphs those of their styles."""
    parts = {part.get("name"): part for part in package}
    targets = _targets(parts, "xl/workbook.xml") | _targets(parts, "ppt/presentation.xml")
    for number, node in enumerate(package.xpath("//sheets/sheet | //sldIdLst/sldId"), start=1):
        _name_part(parts, targets.get(node.get("r-id"), ""), node.get("name") or f"slide {number}")
    styles = {style.get("styleId"): style for style in package.iter("style")}
    for used in package.iter("pStyle"):
        used.set("val", _style_name(styles, used.get("val")))


def _style_name(styles: dict[Any, Any], id: Any) -> str:
    """Return the name that Word gives a style, or of a council's own headings that of their level.

    A style has the level of the one it is based on, unless it says another.
    """
    names, seen = [], set[Any]()
    while id in styles and id not in seen:
        seen.add(id)
        said, based = styles[id].find("name"), styles[id].find("basedOn")
        level = styles[id].find("pPr/outlineLvl")
        names.append("" if said is None else said.get("val", ""))
        if re.fullmatch("heading [1-9]", names[-1], re.IGNORECASE):
            return names[-1]
        if level is not None:
            deep = level.get("val", "")
            return f"heading {int(deep) + 1}" if deep in [*"012345678"] else names[0]
        id = None if based is None else based.get("val")
    return names[0] if names else str(id or "")


def _targets(parts: dict[str, Any], name: str) -> dict[str, str]:
    """Return the parts that a part links to, by the ids of the links."""
    folder, file = posixpath.split(name)
    links = parts.get(f"{folder}/_rels/{file}.rels", etree.Element("none")).iter("Relationship")
    joined = {link.get("Id"): posixpath.join(folder, link.get("Target", "")) for link in links}
    return {id: posixpath.normpath(target).lstrip("/") for id, target in joined.items()}


def _name_part(parts: dict[str, Any], name: str, label: str) -> None:
    """Name a part and all that it holds, such as the charts of a sheet."""
    if name in parts and not parts[name].get("label"):
        parts[name].set("label", label)
        for target in _targets(parts, name).values():
            _name_part(parts, target, label)


def _pdf_tree(content: bytes) -> Any:
    """Return what a PDF says of itself, its fonts and annotations, and its tags as elements."""
    try:
        pdf = pikepdf.open(BytesIO(content), suppress_warnings=True)
    except pikepdf.PasswordError as error:
        raise UnreadableError("file-locked") from error
    with pdf:
        root: Any = pdf.Root
        tree = _copy(etree.Element("pdf", pages=str(len(pdf.pages))), root)
        tree.set("readable", str(pdf.allow.accessibility))
        told = map(root.get, ("/MarkInfo", "/ViewerPreferences", "/Outlines", "/Names"))
        for value in (pdf.trailer.get("/Info"), *told):
            _copy(tree, value)
        if "/Metadata" in root and len(root.Metadata.read_raw_bytes()) < _LONGEST_XMP:
            said = pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False)
            for name, key in (("xmp-title", "dc:title"), ("pdfua", "pdfuaid:part")):
                tree.set(name, NOT_XML.sub("", str(said.get(key, ""))))
        objects = (each for item in pdf.objects for each in _dictionaries(item))
        for font in (each for each in objects if each.get("/Type") == "/Font"):
            _copy(_copy(etree.SubElement(tree, "font"), font), font.get("/FontDescriptor"))
        numbers = {page.objgen: str(number) for number, page in enumerate(pdf.pages, start=1)}
        for page in pdf.pages:
            shown = _copy(etree.SubElement(tree, "page"), page.obj)
            shown.set("page", numbers[page.objgen])
            for note in _dictionaries(page.get("/Annots")):
                _copy(etree.SubElement(shown, "annotation"), note)
        for tags in _dictionaries(root.get("/StructTreeRoot")):
            _add_tags(etree.SubElement(tree, "tags"), tags, numbers)
    for table in tree.iter("Table"):
        _measure_rows(table)
    return tree


def _dictionaries(value: Any) -> list[Any]:
    """Return the dictionaries in a value of a PDF, which may be one, or a list, or a number."""
    listed = value if isinstance(value, pikepdf.Array) else [value]
    return [item for item in listed if isinstance(item, pikepdf.Dictionary)]


def _copy(node: Any, value: Any) -> Any:
    """Write the entries of dictionaries of a PDF as attributes; of what is no text, a dash."""
    for item in _dictionaries(value):
        for key, entry in item.items():
            if re.fullmatch(r"/[A-Za-z]\w*", key, re.ASCII):
                is_held = isinstance(entry, pikepdf.Array | pikepdf.Dictionary | pikepdf.Stream)
                text = "-" if is_held else str(entry).removeprefix("/")
                node.set(key[1:], NOT_XML.sub("", text))
    return node


def _add_tags(top: Any, root: Any, numbers: dict[Any, str]) -> None:
    """Add the tags under their standard names, without recursion and each only once."""
    roles, seen = root.get("/RoleMap", {}), set[Any]()
    todo = [(top, item, 0) for item in reversed(_dictionaries(root.get("/K")))]
    while todo and len(seen) < _MOST_NODES:
        parent, item, depth = todo.pop()
        here = item.objgen if item.is_indirect else len(seen)
        if here in seen or depth > _DEEPEST or "/S" not in item:
            continue
        seen.add(here)
        role = str(roles.get(item.S, item.S)).strip("/")
        is_plain = re.fullmatch(r"[A-Za-z]\w*", role, re.ASCII)
        node = _copy(etree.SubElement(parent, role if is_plain else "Other"), item)
        _copy(node, item.get("/A"))
        if "/Pg" in item:
            node.set("page", numbers.get(item.Pg.objgen, ""))
        todo += [(node, kid, depth + 1) for kid in reversed(_dictionaries(item.get("/K")))]


def _measure_rows(table: Any) -> None:
    """Say of every row of a table how many columns it fills, with cells that come from above."""
    below: list[int] = []
    for row in table.iter("TR"):
        spans = [[cell.get(name, "1") for name in ("ColSpan", "RowSpan")] for cell in row]
        cells = [[min(int(n), 1000) if n.isdecimal() else 1 for n in each] for each in spans]
        row.set("width", str(len(below) + sum(columns for columns, _ in cells)))
        below = [rows - 1 for rows in below if rows > 1]
        below += [rows - 1 for columns, rows in cells if rows > 1 for _ in range(columns)]
