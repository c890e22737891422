"""The overview: the identity audit in numbers and charts. Pure: from an audit to HTML."""

from __future__ import annotations

from collections.abc import Sequence

from suzani.profiles import Audit
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, join, tag
from suzani.web.pages.parts import SYSTEM_COLOURS, bar, card, system_title, table

LONGEST_HISTOGRAM = 8


def overview(texts: Texts, audit: Audit) -> Markup:
    """The whole page below the header."""
    return join(
        _headline(texts, audit),
        _figures(texts, audit),
        tag(
            "div",
            _strips(texts, audit),
            _visible(texts, audit),
            _shared(texts, audit),
            tag("div", _consent(texts, audit), _run(texts, audit), class_="stack"),
            _loads(texts, audit),
            _sizes(texts, audit),
            _biggest(texts, audit),
            class_="grid",
        ),
    )


def _headline(texts: Texts, audit: Audit) -> Markup:
    systems = texts("overview.systems", len(audit.records_by_system))
    records = texts("overview.customers", audit.records)
    built = texts("overview.built", time=texts.moment(audit.built_at)) if audit.built_at else None
    notes = [texts("overview.unresolved", audit.unresolved_records)] if audit.unresolved_records > 0 else []
    return tag(
        "div",
        tag("h1", texts("overview.headline", audit.persons, systems=systems, records=records)),
        tag("p", built, class_="note"),
        [tag("p", note, class_="warning", role="status") for note in notes],
        class_="headline",
    )


def _figures(texts: Texts, audit: Audit) -> Markup:
    several = sum(size.persons for size in audit.by_systems if size.size > 1)
    granted = sum(count.count for count in audit.consent if count.name == "granted")
    quarantined = sum(count.count for count in audit.quarantine)
    per_person = texts.number(audit.products / audit.persons, 2) if audit.persons else "0"
    deleted = texts("overview.deleted", audit.deleted_records) if audit.deleted_records else ""
    figures = [
        ("records", texts.number(audit.records), deleted),
        ("persons", texts.number(audit.persons), ""),
        ("duplicates", texts.percent(audit.duplicate_share), texts("overview.duplicates_note")),
        ("several", texts.percent(_share(several, audit.persons)), texts("overview.several_note")),
        ("products", texts.number(audit.products), texts("overview.products_note", number=per_person)),
        ("contact", texts.percent(_share(granted, audit.persons)), texts("overview.contact_note")),
        ("quarantine", texts.number(quarantined), texts("overview.quarantine_note")),
    ]
    return tag(
        "dl",
        [
            tag(
                "div",
                tag("dt", texts(f"overview.{name}")),
                tag("dd", value, class_="value"),
                tag("dd", note, class_="note") if note else None,
                data_figure=name,
            )
            for name, value, note in figures
        ],
        class_="figures",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _strips(texts: Texts, audit: Audit) -> Markup:
    """Seven strips of records above the one cloth of persons, drawn to one scale."""
    shares = [_share(count.count, audit.records) * 100 for count in audit.records_by_system]
    strips = [
        tag("span", style=f"width:{share:.3f}%;--colour:var(--strip-{place % SYSTEM_COLOURS})")
        for place, share in enumerate(shares)
    ]
    legend = [
        tag(
            "li",
            tag("i", style=f"--colour:var(--strip-{place % SYSTEM_COLOURS})", aria_hidden="true"),
            system_title(texts, count.name),
            tag("b", texts.number(count.count)),
        )
        for place, count in enumerate(audit.records_by_system)
    ]
    persons = tag(
        "span", style=f"width:{_share(audit.persons, audit.records) * 100:.3f}%", class_="cloth-part"
    )
    return card(
        texts("overview.strips"),
        tag(
            "p",
            tag("span", texts("overview.as_records")),
            tag("b", texts.number(audit.records)),
            class_="scale",
        ),
        tag("div", strips, class_="strips", aria_hidden="true"),
        tag(
            "p",
            tag("span", texts("overview.as_persons")),
            tag("b", texts.number(audit.persons)),
            class_="scale",
        ),
        tag("div", persons, class_="strips cloth", aria_hidden="true"),
        tag("ul", legend, class_="legend"),
        note=texts("overview.strips_note"),
        class_="wide",
    )


def _visible(texts: Texts, audit: Audit) -> Markup:
    """Customers by the number of systems that know them, as the systems see it and as it is."""
    after = {size.size: size.persons for size in audit.by_systems}
    most = max([len(audit.records_by_system), *after], default=1)
    rows: list[Sequence[Content]] = []
    for systems in range(1, most + 1):
        before = audit.records if systems == 1 else 0
        now = after.get(systems, 0)
        rows.append(
            [
                texts("overview.in_systems", systems),
                _barred(texts, before, audit.records, "muted"),
                _barred(texts, now, audit.records, "accent"),
            ]
        )
    heads = ["", texts("overview.before"), texts("overview.after")]
    return card(texts("overview.visible"), table(heads, rows, "bars"), note=texts("overview.visible_note"))


def _barred(texts: Texts, count: int, most: int, class_: str) -> Markup:
    return join(
        tag("span", texts.number(count) if count else "–", class_="count"), bar(_share(count, most), class_)
    )


def _shared(texts: Texts, audit: Audit) -> Markup:
    """A triangle of counts: persons known to two systems, tinted by share of the smaller system."""
    names = [count.name for count in audit.records_by_system]
    shared = {(pair.system_a, pair.system_b): pair.persons for pair in audit.shared}
    rows: list[Sequence[Content]] = []
    for place, name in enumerate(names):
        cells: list[Content] = [system_title(texts, name)]
        for other_place, other in enumerate(names):
            persons = shared.get((min(name, other), max(name, other)), 0)
            smaller = min(shared.get((name, name), 0), shared.get((other, other), 0))
            own = "own" if name == other else ""
            cells.append(_cell(texts, persons, _share(persons, smaller), own) if other_place <= place else "")
        rows.append(cells)
    heads = ["", *(tag("span", system_title(texts, name)) for name in names)]
    return card(
        texts("overview.shared"),
        table(heads, rows, "matrix"),
        note=texts("overview.shared_note"),
        class_="wide",
    )


def _cell(texts: Texts, count: int, share: float, class_: str) -> Markup:
    return tag("span", texts.number(count), class_=f"heat {class_}".rstrip(), style=f"--share:{share:.3f}")


def _loads(texts: Texts, audit: Audit) -> Markup:
    heads = [
        "system",
        "rows_in",
        "rows_new",
        "rows_changed",
        "rows_unchanged",
        "rows_quarantined",
        "last_load",
    ]
    rows: list[Sequence[Content]] = [
        [
            system_title(texts, load.system),
            *(
                texts.number(count)
                for count in (load.rows_in, load.rows_new, load.rows_changed, load.rows_unchanged)
            ),
            tag(
                "span", texts.number(load.rows_quarantined), class_="alert" if load.rows_quarantined else None
            ),
            texts.moment(load.last_finished_at) if load.last_finished_at else "–",
        ]
        for load in audit.loads
    ]
    reasons = [
        tag("li", texts.known(f"reason.{count.name}", count.name), tag("b", texts.number(count.count)))
        for count in audit.quarantine
    ]
    return card(
        texts("overview.loads"),
        table([texts(f"column.{head}") for head in heads], rows, "number"),
        tag("h3", texts("overview.quarantine")) if reasons else None,
        tag("ul", reasons, class_="tally") if reasons else None,
        note=texts("overview.loads_note"),
        class_="wide",
    )


def _consent(texts: Texts, audit: Audit) -> Markup:
    counts = {count.name: count.count for count in audit.consent}
    rows = [
        [texts(f"consent.{state}"), _barred(texts, counts.get(state, 0), audit.persons, f"consent-{state}")]
        for state in ("granted", "denied", "missing")
    ]
    conflicts = (
        texts("overview.consent_conflicts", audit.consent_conflicts) if audit.consent_conflicts else None
    )
    return card(
        texts("overview.consent"),
        table(["", texts("overview.persons")], rows, "bars"),
        tag("p", conflicts) if conflicts else None,
        note=texts("overview.consent_note"),
    )


def _sizes(texts: Texts, audit: Audit) -> Markup:
    counts = {size.size: size.persons for size in audit.by_records}
    shown = {
        str(size): counts.get(size, 0)
        for size in range(1, min(LONGEST_HISTOGRAM, max(counts, default=1)) + 1)
    }
    beyond = sum(persons for size, persons in counts.items() if size > LONGEST_HISTOGRAM)
    if beyond:
        shown[texts("overview.more_records", LONGEST_HISTOGRAM + 1)] = beyond
    most = max(shown.values(), default=0)
    rows = [[label, _barred(texts, count, most, "accent")] for label, count in shown.items()]
    heads = [texts("column.records"), texts("column.persons")]
    return card(texts("overview.sizes"), table(heads, rows, "bars short"), note=texts("overview.sizes_note"))


def _run(texts: Texts, audit: Audit) -> Markup:
    run = audit.latest_run
    if run is None:
        return card(texts("overview.run"), tag("p", texts("overview.run_none")))
    facts = [
        (name, texts.number(getattr(run, name))) for name in ("records", "candidates", "edges", "persons")
    ]
    if run.seconds is not None and run.finished_at is not None:
        facts += [("seconds", texts.number(run.seconds, 1)), ("finished", texts.moment(run.finished_at))]
    pairs = [tag("div", tag("dt", texts(f"run.{name}")), tag("dd", value)) for name, value in facts]
    return card(texts("overview.run"), tag("dl", pairs, class_="facts-list"))


def _biggest(texts: Texts, audit: Audit) -> Markup:
    persons = [
        tag(
            "li",
            tag("a", person.display_name or texts("customer.unnamed"), href=f"/customers/{person.person_id}"),
            tag("b", texts("customer.records", person.records)),
        )
        for person in audit.biggest
    ]
    title, note = texts("overview.biggest"), texts("overview.biggest_note")
    return card(title, tag("ul", persons, class_="tally"), note=note, class_="full")
