"""What is drawn on a page of a PDF file: what no tag owns is marked, and all is written shorter.

Printers write each line of text as if it stood alone. Here pieces that follow each other become
one; what is seen, said and copied stays the same.
"""

import re
from typing import Any

_MARK = re.compile(rb"(/\w+\s*<<[^\n]*?>>\s*BDC|/\w+\s+BMC|\bEMC\b)")
_MCID = re.compile(rb"/MCID (\d+)")
_WRITES = re.compile(rb"(?<=\s)T[Jj](?=\s)")
_PAINTS = re.compile(rb"(?<=\s)(?:S|s|f\*?|B\*?|b\*?|sh|Do|TJ|Tj)(?=\s)")
_LETTER = re.compile(rb"\] TJ\n0 Tr\n1 0 0 -1 \S+ \S+ Tm\n\[")
_NO_SIGN = re.compile(rb"<(?:[0-9A-Fa-f]{4})*?0000(?:[0-9A-Fa-f]{4})*>")
_SHIFTED = re.compile(rb"(1 0 0 1 \S+ 0 cm)\n(/x\d+) Do(?=\n)")
# Places finer than a printer's, and lines that go on in the next cell.
_FINE = re.compile(rb"(\d\d\.\d|\b\d\.\d{4})\d+(?=\s)(?! Tf)")
_LINE = rb"S\nQ\nQ\nEMC\n/Artifact\nBMC\nq\nq\n/A1.0 gs\n"
_GOES_ON = re.compile(
    rb"(\S+ \S+ \S+ RG\n\S+ w\n)(\S+) (\S+) m\n(?:(\S+) \3 l\n" + _LINE + rb"\1\4 \3 m\n)+"
)


def put_content_right(pdf: Any, page: Any, owned: dict[int, Any], faults: list[str]) -> None:
    """Write a page's content shorter, and mark what stands in no tag as decoration.

    Parameters
    ----------
    pdf, page
        A file that is open, and one of its pages.
    owned
        Which tag owns each piece of marked content. Lines of one tag that follow each other
        become one piece: the others are taken out.
    faults
        Why the file is not accessible; what is found is added.
    """
    page.contents_coalesce()
    text = _shorter(page, page.Contents.read_bytes())
    pieces, order, owners = _MARK.split(text), "", list[Any]([None])
    for place, piece in enumerate(pieces):
        mcid = _MCID.search(piece) if place % 2 else None
        if piece == b"EMC":
            closed = owners.pop()
            follows = _MCID.search(b"".join(pieces[place + 1 : place + 3])) if closed else None
            if follows and not pieces[place + 1].strip() and owned.get(int(follows[1])) == closed:
                del owned[int(follows[1])]
                pieces[place : place + 3] = [b""] * 3
                owners.append(closed)
        elif place % 2 and piece:
            owners.append(owned.get(int(mcid[1])) if mcid else owners[-1])
            pieces[place] = b"/Artifact BMC" if mcid and not owners[-1] else piece
        elif _PAINTS.search(piece):
            order += ("o" if owners[-1] else "t") if _WRITES.search(piece) else ""
            if len(owners) == 1:
                pieces[place] = b"\n/Artifact BMC\n%b\nEMC\n" % piece
    # Text without a tag is right in the margins only, which are drawn before or after the rest.
    # A sign that the font lacks is no text at all.
    if "t" in order.strip("t") or _NO_SIGN.search(text):
        faults.append("text without a tag")
    page.Contents = pdf.make_stream(b"".join(pieces))


def _shorter(page: Any, text: bytes) -> bytes:
    """Write text of pictures as words, not as letters and objects, and lines of tables as one."""

    def in_place(found: re.Match[bytes]) -> bytes:
        resources, name = page.Resources, found[2].decode()
        form = resources.XObject[name]
        del resources.XObject[name]
        resources.ExtGState = {**resources.ExtGState, **form.Resources.ExtGState}
        return found[1] + b"\n" + bytes(form.read_bytes())

    text = _LETTER.sub(b"", _SHIFTED.sub(in_place, text))
    text = text.replace(b">0<", b"").replace(b">0]", b">]")
    return _GOES_ON.sub(rb"\1\2 \3 m\n", _FINE.sub(rb"\1", text))
