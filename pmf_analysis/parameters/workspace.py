"""A council's workspace: where its files are, and all that they declare, checked at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from pmf_analysis.parameters import checks, loading, models, place, small_files
from pmf_analysis.parameters.brand import brand_of, check_brand
from pmf_analysis.parameters.frameworks import Frameworks
from pmf_analysis.parameters.register import Register, review_register
from pmf_analysis.places import copied
from pmf_analysis.problems import PmfError, Problem, Problems, did_you_mean

PeerSets = dict[str, small_files.PeerSetSpec]
Check = Callable[[loading.Document], None] | None


@dataclass(frozen=True)
class Parameters:
    """Everything declared for one framework.

    ``files`` are the SHA-256 of all files read, by workspace-relative name; ``wording`` are the
    council's own words in the framework's language; ``problems`` are warnings and notes.
    """

    framework: models.Framework
    register: Register
    peer_sets: PeerSets
    corrections: tuple[small_files.Correction, ...]
    files: dict[str, str]
    charts: small_files.ChartFile
    wording: dict[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True)
class Workspace:
    """A council's folder: what it declares, its notebooks, imported data, and finished runs.

    Only ``outputs`` can be deleted without loss.
    """

    root: Path
    parameters: Path = field(init=False, repr=False, compare=False)
    local_store: Path = field(init=False, repr=False, compare=False)
    outputs: Path = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("parameters", "outputs"):
            object.__setattr__(self, name, self.root / name)
        object.__setattr__(self, "local_store", self.root / "store")

    @cached_property
    def storage(self) -> small_files.StorageFile:
        """Where data and copies of runs are kept; in the workspace, without ``storage.yml``.

        Raises
        ------
        PmfError
            Exit 2, with all faults of the file.
        """
        return self._declared(small_files.StorageFile, "storage.yml")

    @property
    def store(self) -> Path | str:
        """Where imported data are kept: a folder, or an address such as ``az://pmf``."""
        return self.storage.store or self.local_store

    @cached_property
    def notebooks(self) -> Path:
        """The folder of source notebooks; those of a data lake are copied here when first asked."""
        if not self.storage.notebooks:
            return self.root / "notebooks"
        folder = self.local_store / "notebooks"
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier command
        copied(f"{self.storage.notebooks}/*.ipynb", folder)
        return folder

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """Return the workspace of the environment, else the one that a folder is inside.

        Raises
        ------
        PmfError
            When there is none.
        """
        return cls(place.find_root(start))

    def load(self, framework: str = "framework.yml") -> Parameters:
        """Read and check all parameter files.

        Every framework file of the workspace is read, because indicators name the themes of all.

        Raises
        ------
        PmfError
            Exit 2, with all problems of all files.
        """
        files = _Files(self.root)
        frameworks = files.frameworks()
        if framework not in frameworks:
            hint = did_you_mean(framework, frameworks)
            files.problems.tell("unknown-framework", name=framework, hint=hint)
        named = place.register_name(self.parameters)
        if named != "indicators.yml" and (self.parameters / "indicators.yml").is_file():
            files.problems.tell("two-registers", file=f"parameters/{named}")
        register, listed = files.read(models.IndicatorFile, named)
        national = Frameworks(self.parameters, files.problems)
        if register is not None:
            checks.check_register(register, [document for document, _ in frameworks.values()])
            national.check(register)
            review_register(listed.indicators if listed else (), register)
            for document in filter(None, (read for read, _ in frameworks.values())):
                checks.check_value_pairs(document, register)
        peer_sets = files.peer_sets(register)
        of_corrections = (small_files.CorrectionFile, "corrections.yml")
        corrections, correct = files.read(*of_corrections, optional=True)
        if corrections is not None and register is not None:
            checks.check_corrections(corrections, register)
        check_charts = partial(checks.check_charts, register=register)
        charts = files.declared(small_files.ChartFile, "charts.yml", check_charts)
        files.declared(small_files.StorageFile, "storage.yml")
        own = files.declared(small_files.WordingFile, "wording.yml", checks.check_wording)
        files.finish()
        chosen = frameworks[framework][1]
        assert chosen is not None and listed is not None  # else there was an error
        known = Register({each.id: national.tied(each) for each in listed.indicators})
        files.hashes |= national.hashes
        corrected = correct.corrections if correct else ()
        read = (files.hashes, charts, own.of(chosen.language), files.problems)
        return Parameters(chosen, known, peer_sets, corrected, *read)

    def brand(self, council: models.Council) -> dict[str, str]:
        """Return a council's brand as a page takes it."""
        return brand_of(council, self.parameters)

    def word_template(self, framework: str = "framework.yml") -> bytes | None:
        """Return the Word document whose styles Word copies have; None where none is declared.

        Raises
        ------
        PmfError
            Exit 2, when it is not there, or the framework has other faults.
        """
        name = self.load(framework).framework.council.brand.word_template
        return (self.parameters / name).read_bytes() if name else None

    def publication(self) -> small_files.PublicationFile:
        """Return what may be published; nothing, where ``publication.yml`` is missing.

        Raises
        ------
        PmfError
            Exit 2, with all faults of the file.
        """
        return self._declared(small_files.PublicationFile, "publication.yml")

    def _declared(self, model: type[loading.Model], name: str) -> loading.Model:
        files = _Files(self.root)
        declared = files.declared(model, name)
        files.finish()
        return declared

    def load_run(
        self,
        name_or_path: str | Path,
        *,
        store_peer_sets: Collection[str] | None = None,
        problems: Problems | None = None,
    ) -> models.RunSpec:
        """Read and check a run file, given by its name in ``parameters/runs`` or by its path.

        Parameters
        ----------
        store_peer_sets
            The peer sets that came with the data, or a mapping from them to their days; with them,
            those of the run are checked too.
        problems
            Takes the warnings, such as a peer set two years older than the run.

        Raises
        ------
        PmfError
            Exit 2, with all problems of the run file; those of other files come from :meth:`load`.
        """
        files, others = _Files(self.root), _Files(self.root)
        document, spec = files.read(models.RunSpec, self.root / self.run_file(str(name_or_path)))
        if document is not None:
            frameworks = {name: read for name, (read, _) in others.frameworks().items()}
            checks.check_run(document, frameworks)
            checks.check_peer_sets(document, others.peer_sets(), store_peer_sets)
        files.finish()
        assert spec is not None  # else there was an error
        if problems is not None:
            problems.extend(files.problems)
        return spec

    def run_file(self, name: str = "") -> str:
        """Return a run file's name within the workspace; without a name, that of its only one.

        Raises
        ------
        PmfError
            When there is no such file, or no name is given and there is more than one.
        """
        runs = self.parameters / "runs"
        known = [path.stem for path in sorted(runs.glob("*.yml"))]
        if not name and len(known) != 1:
            names = ", ".join(f"{stem}.yml" for stem in known)
            raise PmfError(Problem.of("which-run-file" if known else "no-run-file", names=names))
        name = name or known[0]
        for path in (Path(name), self.root / name, runs / name, runs / f"{name}.yml"):
            if path.is_file():
                return _name_within(self.root, path)
        facts = {"hint": did_you_mean(Path(name).stem, known), "known": ", ".join(known)}
        raise PmfError(Problem.of("run-missing", name=Path(name).name, **facts))


def _name_within(root: Path, path: Path) -> str:
    """Return the name of a file within a folder; of one outside, its whole path."""
    path = path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


class _Files:
    """The parameter files of one workspace, read into one list of problems."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.problems = Problems()
        self.hashes: dict[str, str] = {}

    def read(
        self, model: type[loading.Model], path: str | Path, *, optional: bool = False
    ) -> tuple[loading.Document | None, loading.Model | None]:
        """Read a file of the parameters as it stands and as a model, None when it has faults."""
        path = (self.root / "parameters" / path).resolve()
        if optional and not path.is_file():
            return None, None
        inside = path.is_relative_to(self.root)
        name = path.relative_to(self.root).as_posix() if inside else path.name
        document = loading.read_document(path, name, self.problems)
        if document is not None:
            self.hashes[name] = document.sha256
        return document, loading.validated(model, document, self.problems)

    def declared(self, model: type[loading.Model], name: str, check: Check = None) -> loading.Model:
        """Read and check a file that need not be there; without it nothing is declared."""
        document, declared = self.read(model, name, optional=True)
        if document is not None and check is not None:
            check(document)
        return declared or model(format=1)

    def finish(self) -> None:
        """Raise what was found, in the order in which one reads the files."""
        self.problems.sort(key=lambda problem: (problem.file, problem.row or 0))
        self.problems.raise_if_errors()

    def frameworks(self) -> dict[str, tuple[loading.Document | None, models.Framework | None]]:
        """Read every framework file, as it stands and as a model."""
        found = {}
        for path in sorted((self.root / "parameters").glob("framework*.yml")):
            document, _ = found[path.name] = self.read(models.Framework, path)
            if document is not None:
                checks.check_framework(document)
                self.hashes |= check_brand(document, path.parent)
        return found

    def peer_sets(self, register: loading.Document | None = None) -> PeerSets:
        """Read the declared peer sets; there may be none, as they also come with the data."""
        document, listed = self.read(small_files.PeerSetFile, "peer_sets.yml", optional=True)
        if document is not None:
            checks.check_unique(document, "peer_sets.*.id")
            checks.check_built_sets(document, register)
        return {spec.id: spec for spec in listed.peer_sets} if listed else {}
