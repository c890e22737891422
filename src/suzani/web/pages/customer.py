"""The customer page: golden record, sources side by side, products and evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from suzani.profiles import (
    GOLDEN_ATTRIBUTES,
    Customer,
    Golden,
    Origin,
    Product,
    SourceRecord,
)
from suzani.web.language import Texts
from suzani.web.markup import Content, Markup, join, tag
from suzani.web.mask import mask
from suzani.web.pages.explained import Explained, story_card
from suzani.web.pages.parts import card, system_title, table

CONSENT = "marketing_consent"
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "identity": ("family_name", "given_name", "patronymic", "maiden_name", "full_name", "sex", "birth_date"),
    "papers": ("national_id", "tax_id", "document"),
    "contacts": ("phone", "phone_2", "email", "address", "city", "region", "postcode", "country"),
    "work": ("occupation", "employer"),
}
"""The attributes of the golden record by the part of the card they stand in."""

NAME_PARTS = ("family_name", "given_name")


def customer_top(texts: Texts, customer: Customer) -> Markup:
    """What stands above the timeline: who this is, what is known of them, what they hold."""
    return join(
        _heading(texts, customer),
        tag(
            "div",
            _golden_card(texts, customer),
            tag("div", _consent_card(texts, customer), _products_card(texts, customer), class_="stack"),
            class_="grid customer",
        ),
    )


def customer_bottom(texts: Texts, customer: Customer, explained: Explained) -> Markup:
    """What stands below the timeline: where all that comes from, and why it is one person."""
    return tag(
        "div",
        _sources_card(texts, customer),
        story_card(texts, explained),
        class_="grid customer",
    )


def _heading(texts: Texts, customer: Customer) -> Markup:
    profile = customer.profile
    facts = [
        texts("customer.person", id=profile.person_id),
        texts("customer.records", profile.record_count),
        texts("customer.systems", len(profile.systems)),
        texts("customer.products", profile.product_count),
    ]
    systems = [tag("span", system_title(texts, system), class_="chip") for system in profile.systems]
    return tag(
        "div",
        tag("h1", profile.display_name or texts("customer.unnamed")),
        tag("p", " · ".join(facts), class_="note"),
        tag("p", systems, class_="chips"),
        class_="headline",
    )


def shown_value(texts: Texts, attribute: str, value: str | date) -> str:
    """A value as a person reads it, masked where it must be."""
    if isinstance(value, date):
        return texts.day(value)
    if attribute == "sex":
        return texts.known(f"sex.{value}", value)
    if attribute == CONSENT:
        return texts(f"consent.{value}")
    return mask(attribute, value)


def _golden_card(texts: Texts, customer: Customer) -> Markup:
    golden = {entry.attribute: entry for entry in customer.profile.golden}
    has_parts = any(golden[name].value is not None for name in NAME_PARTS)
    sections = []
    for section, names in SECTIONS.items():
        entries = [
            golden[name]
            for name in names
            if (golden[name].value is not None or golden[name].lost)
            and not (name == "full_name" and has_parts)
        ]
        if entries:
            items = [_golden_item(texts, entry) for entry in entries]
            sections.append(
                tag("div", tag("h3", texts(f"section.{section}")), tag("dl", items, class_="golden"))
            )
    return card(texts("customer.golden"), sections, note=texts("customer.golden_note"), class_="golden-card")


def _golden_item(texts: Texts, entry: Golden) -> Markup:
    known = entry.value is not None
    value = (
        shown_value(texts, entry.attribute, entry.value)
        if entry.value is not None
        else texts("customer.no_value")
    )
    tip = f"why-{entry.attribute}"
    marker = tag("span", len(entry.lost), class_="lost-count", aria_hidden="true") if entry.lost else None
    return tag(
        "div",
        tag("dt", texts(f"attribute.{entry.attribute}")),
        tag(
            "dd",
            tag(
                "span",
                tag("span", value, class_="shown" if known else "shown missing"),
                marker,
                tabindex=0,
                class_="value",
                aria_describedby=tip,
            ),
            _provenance(texts, entry, tip),
        ),
        data_attribute=entry.attribute,
    )


def _provenance(texts: Texts, entry: Golden, tip: str) -> Markup:
    """Where a value comes from, why it survived, who agrees and what lost: shown on hover and on focus."""
    lost = [
        tag(
            "li",
            tag("s", shown_value(texts, entry.attribute, value.value)),
            " ",
            _origin(texts, value.origin),
        )
        for value in entry.lost
    ]
    also = [tag("li", _origin(texts, origin)) for origin in entry.also]
    return tag(
        "span",
        _fact(texts("customer.from"), _origin(texts, entry.origin)) if entry.origin else None,
        _fact(texts("customer.rule"), texts(f"rule.{entry.rule}")) if entry.rule else None,
        _fact(texts("customer.also"), tag("ul", also)) if also else None,
        _fact(texts("customer.lost"), tag("ul", lost)) if lost else None,
        class_="provenance",
        role="tooltip",
        id=tip,
    )


def _fact(label: str, value: Content) -> Markup:
    return tag("span", tag("b", label), tag("span", value), class_="fact")


def _origin(texts: Texts, origin: Origin) -> Markup:
    time = (
        texts("customer.updated", time=texts.day(origin.updated_at.astimezone()))
        if origin.updated_at
        else None
    )
    where = [system_title(texts, origin.system), texts("customer.record", id=origin.record_id), time]
    return tag("span", ", ".join(text for text in where if text), class_="origin")


def _consent_card(texts: Texts, customer: Customer) -> Markup:
    profile = customer.profile
    golden = next(entry for entry in profile.golden if entry.attribute == CONSENT)
    verdict = texts("customer.may_market" if profile.may_market else "customer.may_not_market")
    statements = [
        tag(
            "li",
            tag("b", texts(f"consent.{record.consent}")),
            " ",
            texts(
                "customer.stated",
                system=system_title(texts, record.system),
                time=texts.day(record.consent_at.astimezone())
                if record.consent_at
                else texts("customer.undated"),
            ),
        )
        for record in customer.records
        if record.consent
    ]
    nothing = tag("p", texts("consent.missing"), class_="note") if golden.value is None else None
    return card(
        texts("customer.consent"),
        tag("p", verdict, class_="verdict yes" if profile.may_market else "verdict no"),
        nothing,
        tag("ul", statements, class_="plain") if statements else None,
    )


def _products_card(texts: Texts, customer: Customer) -> Markup:
    if not customer.products:
        return card(texts("customer.products_title"), tag("p", texts("customer.no_products"), class_="note"))
    balances = [
        tag(
            "div",
            tag("dt", balance.currency),
            tag("dd", texts("customer.held"), " ", tag("b", texts.money(balance.held, "")))
            if balance.held or not balance.owed
            else None,
            tag("dd", texts("customer.owed"), " ", tag("b", texts.money(balance.owed, "")))
            if balance.owed
            else None,
        )
        for balance in customer.profile.balances
    ]
    by_system: dict[str, list[Product]] = {}
    for product in customer.products:
        by_system.setdefault(product.system, []).append(product)
    groups = [
        tag(
            "div",
            tag("h3", system_title(texts, system)),
            tag("ul", [_product(texts, held) for held in products]),
        )
        for system, products in by_system.items()
    ]
    return card(
        texts("customer.products_title"),
        tag("dl", balances, class_="balances"),
        tag("div", groups, class_="products"),
    )


def _product(texts: Texts, product: Product) -> Markup:
    kind = texts.known(f"kind.{product.kind}", product.kind or "") if product.kind else ""
    status = texts.known(f"status.{product.status}", product.status) if product.status else None
    closed = product.closed_on is not None or product.status == "closed"
    opened = texts.day(product.opened_on) if product.opened_on else None
    return tag(
        "li",
        tag(
            "span",
            tag("strong", product.name or kind),
            tag("span", mask("product", product.number), class_="mono"),
        ),
        tag(
            "span",
            texts.money(product.balance, product.currency) if product.balance is not None else "",
            class_="sum",
        ),
        tag(
            "span",
            " · ".join(text for text in (kind if product.name else None, status, opened) if text),
            class_="note",
        ),
        class_="closed" if closed else None,
    )


def _sources_card(texts: Texts, customer: Customer) -> Markup:
    """Attributes down, records across; what survived is marked, what differs from it is tinted."""
    heads: list[Content] = [texts("column.attribute")]
    heads += [
        tag("span", tag("span", system_title(texts, record.system)), tag("small", f"№ {record.record_id}"))
        for record in customer.records
    ]
    rows: list[Sequence[Content]] = [
        [texts("customer.key"), *(tag("span", record.key, class_="mono") for record in customer.records)]
    ]
    golden = {entry.attribute: entry for entry in customer.profile.golden}
    for name in GOLDEN_ATTRIBUTES:
        if any(_held(record, name) for record in customer.records):
            cells = [_source_cell(texts, record, golden[name]) for record in customer.records]
            rows.append([texts(f"attribute.{name}"), *cells])
    times = (texts.day(record.as_of.astimezone()) if record.as_of else "–" for record in customer.records)
    rows.append([texts("customer.as_of"), *times])
    return card(
        texts("customer.sources"),
        table(heads, rows, "sources"),
        note=texts("customer.sources_note"),
        class_="full",
    )


def _held(record: SourceRecord, name: str) -> str | None:
    return record.consent if name == CONSENT else record.values.get(name)


def _source_cell(texts: Texts, record: SourceRecord, golden: Golden) -> Markup:
    held = _held(record, golden.attribute)
    if held is None:
        return tag("span", "–", class_="none")
    value: str | date = date.fromisoformat(held) if golden.attribute == "birth_date" else held
    shown = shown_value(texts, golden.attribute, value)
    if golden.origin and golden.origin.record_id == record.record_id:
        return tag("span", shown, class_="cell survived", title=texts("customer.survived"))
    if any(lost.origin.record_id == record.record_id for lost in golden.lost):
        return tag("span", shown, class_="cell differs", title=texts("customer.differs"))
    return tag("span", shown, class_="cell")
