"""Whom a council can be compared with: its sets as imported, listed, built, or everyone.

A peer is a council. Sums over councils are none, nor are categories such as tenths of deprivation
that stand among the areas of a file: by themselves, only codes of the Register of Geographic Codes
that councils have are taken for councils (and the X0 codes of fictional ones). A council with
another code, such as a trust, is a peer where a list names it. A set may be built of the councils
that are most like ours in characteristics that the user chooses.
"""

import numpy as np
import pandas as pd

from pmf_analysis.measures.arrays import SENTENCES, TABLES, Day, Frame, Texts, constants
from pmf_analysis.measures.frames import is_aggregate
from pmf_analysis.parameters import small_files, workspace

_SET = constants("peer_sets")
COLUMNS = TABLES["chosen_sets"]
_ROW = COLUMNS[:4]  # peer_set, member, member_name, rank


def neighbour_lists(stored: Frame, as_at: Day) -> Frame:
    """Newest list of every area, of each set, as known on a day: peer_set, area, member."""
    rows = stored[(stored["area_code"] != "") & ~(stored["as_at"] > pd.Timestamp(as_at))]
    newest = rows.groupby(["peer_set", "area_code"])["as_at"].transform("max")
    rows = rows[(rows["as_at"] == newest) | newest.isna()]
    names = {"area_code": "area", "member_code": "member"}
    return rows.rename(columns=names)[["peer_set", "area", "member"]]


def chosen_peer_sets(
    stored: Frame, parameters: workspace.Parameters, area: str, panel: Frame, as_at: Day
) -> Frame:
    """Return every peer set of a council, as known on a day.

    Parameters
    ----------
    stored
        Table `peer_sets` of the store. Rows without `area_code` are a group, such as a region: it
        is ours where we are a member. Of several versions of a list the newest known is used.
    panel
        Main frame of measures, in which built sets and `everyone` find councils with figures.

    Returns
    -------
    DataFrame
        peer_set, member, member_name, rank (1 = likest; NaN where a set has no order), title,
        source, as_at, method (a sentence), built_on (the indicators that a set was chosen by,
        joined by "; "; "" for others); never the council itself, a sum over councils, or a
        set drawn up after `as_at`. A set of which nobody is left has no rows.
    """
    specs = parameters.peer_sets
    listed = pd.concat([_imported(stored, area, specs), _declared(specs)], ignore_index=True)
    known = listed[listed["as_at"].isna() | (listed["as_at"] <= pd.Timestamp(as_at))]
    # Versions without a day are the oldest; of one day, the list in the parameters decides.
    age = known["as_at"].fillna(pd.Timestamp.min)
    sets = known[age == age.groupby(known["peer_set"]).transform("max")]
    made = [spec for spec in specs.values() if spec.as_at <= as_at and not spec.members]
    councils = _councils(panel, sets["member"].tolist())
    titles = {name: entry.short_title for name, entry in parameters.register.indicators.items()}
    for spec in sorted((s for s in made if not s.is_described), key=lambda s: not s.everyone):
        found, method = councils, SENTENCES["everyone"]
        if spec.characteristics:
            pool = sets[sets["peer_set"] == spec.among] if spec.among else councils
            among, by = pool["member"].tolist(), spec.characteristics
            found = nearest_councils(panel, area, by, size=spec.size, among=among)
            named = "; ".join(titles[name] for name in by)
            method = SENTENCES["nearest"].format(len(found), named)
        sets = pd.concat([sets, _told(found, spec, method)], ignore_index=True)
    sets = sets[(sets["member"] != area) & ~is_aggregate(sets["member"])]
    unique = sets.sort_values(["peer_set", "rank"], kind="stable")
    return unique.drop_duplicates(["peer_set", "member"], ignore_index=True)[COLUMNS]


def _imported(stored: Frame, area: str, specs: dict[str, small_files.PeerSetSpec]) -> Frame:
    """The council's own lists and the groups it is in; YAML may add title, source and day."""
    mine = stored.loc[(stored["area_code"] == "") & (stored["member_code"] == area), "peer_set"]
    is_group = (stored["area_code"] == "") & stored["peer_set"].isin(mine)
    rows = stored[(stored["area_code"] == area) | is_group]
    rows = rows.rename(columns={"member_code": "member"})
    names, told = rows["peer_set"], {name: dict(spec) for name, spec in specs.items()}
    facts = pd.DataFrame.from_dict(told, orient="index", columns=["title", "source", "as_at"])
    facts = facts.reindex(names).set_axis(rows.index)
    # Of one version only, the day that the parameters give is the list's, not the import's.
    only = facts["as_at"].notna() & (rows.groupby("peer_set")["as_at"].transform("nunique") < 2)
    kinds = [is_group[rows.index], rows["rank"].notna()]
    texts = [SENTENCES["group"], SENTENCES["listed_in_order"]]
    method = np.select(kinds, texts, SENTENCES["listed"])
    day = rows["as_at"].mask(only | rows["as_at"].isna(), pd.to_datetime(facts["as_at"]))
    title = facts["title"].fillna(names.str.replace("_", " "))
    found = rows[_ROW].assign(title=title, source=facts["source"].fillna(rows["source"]))
    return found.assign(as_at=day, method=method, built_on="").astype({"rank": "float64"})


def _declared(specs: dict[str, small_files.PeerSetSpec]) -> Frame:
    lists = [pd.DataFrame(columns=COLUMNS)]
    for spec in specs.values():
        rows = [(*named, rank) for rank, named in enumerate(spec.members.items(), start=1)]
        lists.append(_told(pd.DataFrame(rows, columns=_ROW[1:]), spec, SENTENCES["declared"]))
    return pd.concat(lists, ignore_index=True)


def _told(found: Frame, spec: small_files.PeerSetSpec, method: str) -> Frame:
    """Put what is declared of a set beside its members."""
    facts = {"peer_set": spec.id, "title": spec.title, "source": spec.source, "method": method}
    facts["built_on"] = "; ".join(spec.characteristics)
    rows = found.assign(**facts, as_at=pd.Timestamp(spec.as_at))
    return rows.astype({"rank": "float64"})[COLUMNS]


def _councils(panel: Frame, listed: Texts) -> Frame:
    """Every council with a figure for the whole council: member, member_name, rank (NaN)."""
    whole = panel[(panel["dimension"] == "") & panel["value"].notna()]
    found = whole.drop_duplicates("area")[["area", "area_name"]].sort_values("area")
    known = found["area"].str.match(_SET.council) | found["area"].isin(listed)
    named = found[known & ~is_aggregate(found["area"])]
    return named.set_axis(["member", "member_name"], axis=1).assign(rank=float("nan"))


def nearest_councils(
    panel: Frame, area: str, characteristics: Texts, *, size: int = 15, among: Texts | None = None
) -> Frame:
    """Rank councils by distance from ours over several characteristics.

    Each characteristic is taken at the newest period in which we, and more than half of the
    councils that ever have it, have a value. It is standardised by median and median absolute
    deviation (times 1.4826; standard deviation where that is 0) and cut at three, so that one
    extreme council, such as the City of London, does not decide how alike the others are. The
    distance is Euclidean, divided by the root of the number of characteristics that both have; all
    count alike; one that is the same everywhere does not count. CIPFA and ONS do much the same with
    other characteristics.

    Parameters
    ----------
    panel
        Main frame of measures, all areas; later periods than the day of the set left out.
    characteristics
        Indicators; totals over all dimensions are used.
    among
        Areas to choose from; every council by default (never sums over councils).

    Returns
    -------
    DataFrame
        member, member_name, rank, distance, nearest first, then by area code; without ourselves
        and councils that lack more than a quarter of the characteristics. Empty where we do.
    """
    rows = panel[panel["indicator"].isin(list(characteristics))]
    rows = rows[(rows["dimension"] == "") & ~is_aggregate(rows["area"])].dropna(subset=["value"])
    rows = rows[rows["area"].isin([area, *(rows["area"] if among is None else among)])]
    rows = rows.sort_values("series").drop_duplicates(["indicator", "area", "period"], keep="last")
    at = rows.assign(ours=rows["area"] == area).groupby(["indicator", "period"])["ours"]
    found = at.agg(["size", "any"]).reset_index()
    ever = found["indicator"].map(rows.groupby("indicator")["area"].nunique()).astype(float)
    shared = found[found["any"] & (2 * found["size"] > ever)]
    newest = shared.groupby("indicator")["period"].max().reset_index()
    values = rows.merge(newest).pivot(index="area", columns="indicator", values="value")
    values = values.reindex(columns=pd.unique(pd.Series(list(characteristics))))
    values = values.loc[:, values.isna().all() | (values.nunique() > 1)]
    values = values[values.isna().mean(axis=1) <= _SET.most_unknown]
    if area not in values.index:
        return pd.DataFrame(columns=_SET.nearest)
    apart = values - values.median()
    scale = _SET.scale * apart.abs().median()
    likeness = (apart / scale.where(scale > 0, values.std())).clip(-_SET.largest, _SET.largest)
    distance = ((likeness - likeness.loc[area]) ** 2).mean(axis=1) ** 0.5
    names = rows.drop_duplicates("area", keep="last").set_index("area")["area_name"]
    table: Frame = distance.drop(area).rename_axis("member").reset_index(name="distance")
    table = table.sort_values(["distance", "member"], ignore_index=True).head(size)
    table["rank"] = np.arange(1, len(table) + 1)
    return table.assign(member_name=table["member"].map(names)).reindex(columns=_SET.nearest)
