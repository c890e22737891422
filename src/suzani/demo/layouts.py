"""The columns of each system's extract: their names, codes and date and money formats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from suzani.demo.identifiers import as_text
from suzani.demo.products import CARD_KINDS, Products
from suzani.demo.rendering import Columns
from suzani.demo.types import Bools, Ints

_NONE = pa.scalar(None, pa.string())


@dataclass(frozen=True)
class Content:
    """Everything a layout draws on; `previous_key` is null unless the record was re-keyed."""

    key: pa.StringArray
    previous_key: pa.StringArray
    closed: Bools
    columns: Columns
    products: tuple[Products, ...]


def _dates(days: pa.Array, pattern: str) -> pa.StringArray:
    return pc.strftime(days, format=pattern)


def _times(moments: pa.Array, pattern: str) -> pa.StringArray:
    return pc.strftime(moments.cast(pa.timestamp("s")), format=pattern)


def _coded(values: pa.Array, codes: Sequence[str]) -> pa.StringArray:
    """The code of each small number; null stays null."""
    return pa.array(list(codes)).take(values)


def _money(cents: Ints, decimal: str, thousands: str = "") -> pa.StringArray:
    """Amounts below a trillion as text, with both fraction digits."""
    whole = cents // 100
    groups = [whole // 10**9, whole // 10**6 % 1000, whole // 1000 % 1000, whole % 1000]
    if thousands:
        text = as_text(groups[0], 1)
        for group in groups[1:]:
            text = pc.binary_join_element_wise(text, as_text(group, 3), thousands)
        text = pc.if_else(pc.equal(pc.utf8_ltrim(text, characters="0" + thousands), ""), "0",
                          pc.utf8_ltrim(text, characters="0" + thousands))  # fmt: skip
    else:
        text = as_text(whole, 1)
    return pc.binary_join_element_wise(text, as_text(cents % 100, 2), decimal)


def _held(product: Products, column: pa.Array) -> pa.Array:
    """The column where the customer has the product, null elsewhere."""
    return pc.if_else(product.number.is_valid(), column, pa.scalar(None, column.type))


def _branch(columns: Columns, codes: Sequence[str]) -> pa.StringArray:
    return pa.array(list(codes)).take(
        pc.cast(pa.array(np.asarray(columns["clerk"]) % len(codes)), pa.int64())
    )


def _core_banking(c: Content) -> pa.Table:
    f, (account, currency_account) = c.columns, c.products
    return pa.table({
        "CLIENT_NO": c.key, "OLD_CLIENT_NO": c.previous_key,
        "ФАМИЛИЯ": f["family"], "ИМЯ": f["given"], "ОТЧЕСТВО": f["patronymic"],
        "ПОЛ": _coded(f["sex"], "МЖ"), "ДАТА_РОЖД": _dates(f["birth_date"], "%d.%m.%Y"),
        "ПИНФЛ": f["national_id"], "ИНН": f["tax_id"], "ПАСПОРТ": f["passport"],
        "ТЕЛЕФОН": f["phone"], "ТЕЛЕФОН2": f["phone_2"], "EMAIL": f["email"],
        "АДРЕС": f["address"], "ОБЛАСТЬ": f["region"], "ИНДЕКС": f["postcode"], "ГРАЖДАНСТВО": f["country"],
        "ПРОФЕССИЯ": f["occupation"], "ФИЛИАЛ": _branch(f, ["00394", "00401", "00440", "00974", "01071"]),
        "СОГЛАСИЕ_РЕКЛАМА": _coded(f["consent"], ["НЕТ", "ДА"]),
        "ДАТА_СОГЛАСИЯ": _dates(f["consent_at"], "%d.%m.%Y"),
        "СЧЕТ": account.number, "ВАЛЮТА": _coded(pa.array(account.currency), ["UZS", "USD", "EUR"]),
        "ОСТАТОК": _money(account.balance, ","), "СТАТУС_СЧЕТА": _coded(pa.array(account.status), "АБЗ"),
        "ДАТА_ОТКРЫТИЯ": _dates(pa.array(account.opened), "%d.%m.%Y"),
        "ДАТА_ЗАКРЫТИЯ": _dates(account.closed, "%d.%m.%Y"),
        "ВАЛ_СЧЕТ": currency_account.number,
        "ВАЛ_ВАЛЮТА": _held(currency_account, _coded(pa.array(currency_account.currency), ["UZS", "USD",
        "EUR"])),
        "ВАЛ_ОСТАТОК": _held(currency_account, _money(currency_account.balance, ",")),
        "КЛИЕНТ_С": _dates(f["opened"], "%d.%m.%Y"),
        "СОСТОЯНИЕ": _coded(pa.array(c.closed.astype(np.int64)), ["ДЕЙСТВУЕТ", "ЗАКРЫТ"]),
        "ИЗМЕНЕН": _times(f["updated"], "%d.%m.%Y %H:%M:%S"),
    })  # fmt: skip


def _cards(c: Content) -> pa.Table:
    f, (card, second) = c.columns, c.products
    table = {
        "client_id": c.key, "previous_client_id": c.previous_key, "embossed_name": f["full"],
        "dob": _dates(f["birth_date"], "%Y-%m-%d"), "gender": _coded(f["sex"], "MF"),
        "pinfl": f["national_id"],
        "document": f["passport"], "mobile": f["phone"], "email": f["email"],
        "delivery_address": f["address"],
        "city": f["city"], "zip": f["postcode"], "sms_ads": _coded(f["consent"], "NY"),
        "sms_ads_since": _dates(f["consent_at"], "%Y-%m-%d"),
    }  # fmt: skip
    for prefix, product in (("card", card), ("card2", second)):
        table |= {
            f"{prefix}_pan": product.number,
            f"{prefix}_product": _held(product, _coded(pa.array(product.kind), CARD_KINDS)),
            f"{prefix}_currency": _held(product, _coded(pa.array(product.currency), ["860", "840", "978"])),
            f"{prefix}_balance": _held(product, _money(product.balance, ".")),
            f"{prefix}_state": _held(product, _coded(pa.array(product.status), ["OPEN", "BLOCK", "CLOSE"])),
            f"{prefix}_issued": _held(product, _dates(pa.array(product.opened), "%Y-%m-%d")),
        }
    return pa.table(table | {"updated_at": _times(f["updated"], "%Y-%m-%d %H:%M:%S")})


def _struct(**fields: pa.Array) -> pa.StructArray:
    return pa.StructArray.from_arrays(
        [
            column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            for column in fields.values()
        ],
        names=list(fields),
    )


def _amount(cents: Ints) -> pa.Array:
    return pa.array(cents / 100)


def _lending(c: Content) -> pa.Table:
    f, (loan,) = c.columns, c.products
    client = _struct(
        name=_struct(last=f["family"], first=f["given"], middle=f["patronymic"]),
        born=_dates(f["birth_date"], "%Y-%m-%d"),
        sex=_coded(f["sex"], ["erkak", "ayol"]),
        pinfl=f["national_id"],
        passport=f["passport"],
        contacts=_struct(mobile=f["phone"], other=f["phone_2"], email=f["email"]),
        address=_struct(line=f["address"], city=f["city"], region=f["region"], zip=f["postcode"]),
        work=_struct(position=f["occupation"], employer=f["employer"]),
    )
    kinds = _coded(pa.array(loan.kind), ["consumer", "car", "microloan"])
    product = _struct(
        number=loan.number, type=kinds, currency=_coded(pa.array(loan.currency), ["UZS", "USD", "EUR"]),
        outstanding=_amount(loan.balance), state=_coded(pa.array(loan.status), ["active", "overdue",
        "repaid"]),
        signed=_dates(pa.array(loan.opened), "%Y-%m-%d"), repaid=_dates(loan.closed, "%Y-%m-%d"),
    )  # fmt: skip
    granted = pc.equal(f["consent"], 1)
    return pa.table({
        "id": c.key, "previous_id": c.previous_key, "client": client, "loan": product,
        "marketing": _struct(agreed=granted, date=_dates(f["consent_at"], "%Y-%m-%d")),
        "officer": pc.binary_join_element_wise(pa.scalar("officer"), as_text(np.asarray(f["clerk"]), 3), "-"),
        "archived": pa.array(c.closed), "updated": _times(f["updated"], "%Y-%m-%dT%H:%M:%S+05:00"),
    })  # fmt: skip


def _deposits(c: Content) -> pa.Table:
    f, (deposit,) = c.columns, c.products
    cents = pa.array(deposit.balance).cast(pa.decimal128(20, 0))
    return pa.table({
        "depositor_no": c.key, "fio": f["full"], "birth_date": f["birth_date"].cast(pa.date32()),
        "sex": f["sex"].cast(pa.int8()), "pinfl": f["national_id"], "passport": f["passport"],
        "phone": f["phone"],
        "email": f["email"], "address": f["address"], "occupation": f["occupation"],
        "contract": deposit.number, "product": _coded(pa.array(deposit.kind), ["Jamgʻarma", "Muddatli",
        "Bolajon"]),
        "currency": _coded(pa.array(deposit.currency), ["UZS", "USD", "EUR"]),
        "amount": pc.multiply(cents, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(20, 2)),
        "state": pa.array(deposit.status, pa.int8()), "opened": pa.array(deposit.opened).cast(pa.date32()),
        "closed": deposit.closed.cast(pa.date32()), "ads": _coded(f["consent"], ["no", "yes"]),
        "ads_date": f["consent_at"].cast(pa.date32()),
        "updated": f["updated"].cast(pa.timestamp("us")),
    })  # fmt: skip


def _trade_finance(c: Content) -> pa.Table:
    f, (guarantee,) = c.columns, c.products
    return pa.table({
        "№": c.key, "Principal": f["full"], "STIR": f["tax_id"], "PINFL": f["national_id"],
        "Passport": f["passport"],
        "Date of birth": _dates(f["birth_date"], "%d.%m.%Y"), "Sex": _coded(f["sex"], "MF"),
        "Phone": f["phone"], "E-mail": f["email"], "Address": f["address"], "Country": f["country"],
        "Deal": guarantee.number, "Type": _coded(pa.array(guarantee.kind), ["Letter of credit", "Guarantee"]),
        "Ccy": _coded(pa.array(guarantee.currency), ["UZS", "USD", "EUR"]),
        "Amount": _amount(guarantee.balance),
        "Status": _coded(pa.array(guarantee.status), ["Active", "Suspended", "Closed"]),
        "Signed": _dates(pa.array(guarantee.opened), "%d.%m.%Y"), "Mailing": _coded(f["consent"], ["no",
        "yes"]),
        "Last change": _times(f["updated"], "%d.%m.%Y %H:%M"),
    })  # fmt: skip


def _mortgage(c: Content) -> pa.Table:
    f, (loan,) = c.columns, c.products
    return pa.table({
        "НОМЕР_ЗАЁМЩИКА": c.key, "Фамилия": f["family"], "Имя": f["given"], "Отчество": f["patronymic"],
        "Девичья фамилия": f["maiden"], "Пол": _coded(f["sex"], ["муж.", "жен."]),
        "Дата рождения": _dates(f["birth_date"], "%d/%m/%Y"), "ПИНФЛ": f["national_id"],
        "Паспорт": f["passport"],
        "Тел.": f["phone"], "Тел. доп.": f["phone_2"], "Эл. почта": f["email"], "Область": f["region"],
        "Город": f["city"], "Адрес": f["address"], "Индекс": f["postcode"], "Работа": f["employer"],
        "Должность": f["occupation"], "Договор": loan.number,
        "Программа": _coded(pa.array(loan.kind), ["Первичный рынок", "Вторичный рынок"]),
        "Остаток долга": _money(loan.balance, ",", " "), "Валюта": _coded(pa.array(loan.currency), ["сум",
        "USD", "EUR"]),
        "Статус": _coded(pa.array(loan.status), ["обслуживается", "просрочен", "погашен"]),
        "Дата договора": _dates(pa.array(loan.opened), "%d/%m/%Y"),
        "Согласие": _coded(f["consent"], "-+"), "Дата согласия": _dates(f["consent_at"], "%d/%m/%Y"),
        "Удалён": _coded(pa.array(c.closed.astype(np.int64)), ["", "да"]),
        "Обновлено": _times(f["updated"], "%d/%m/%Y %H:%M"),
    })  # fmt: skip


def _investment(c: Content) -> pa.Table:
    f, (account,) = c.columns, c.products
    return pa.table({
        "ACCOUNT_HOLDER": c.key, "LAST_NAME": f["family"], "FIRST_NAME": f["given"],
        "MIDDLE_NAME": f["patronymic"],
        "SEX": _coded(f["sex"], "12"), "BIRTHDATE": _dates(f["birth_date"], "%Y/%m/%d"),
        "NATIONAL_ID": f["national_id"],
        "PASSPORT": f["passport"], "PHONE": f["phone"], "EMAIL": f["email"], "ADDRESS": f["address"],
        "CITY": f["city"],
        "COUNTRY": f["country"], "OCCUPATION": f["occupation"], "BROKERAGE_ACCOUNT": account.number,
        "PLAN": _coded(pa.array(account.kind), ["Self-directed", "Managed"]),
        "CURRENCY": _coded(pa.array(account.currency), ["UZS", "USD", "EUR"]),
        "VALUE": _money(account.balance, ".", ","), "STATE": _coded(pa.array(account.status), ["A", "S",
        "C"]),
        "OPENED": _dates(pa.array(account.opened), "%Y/%m/%d"), "NEWSLETTER": _coded(f["consent"], ["0",
        "1"]),
        "NEWSLETTER_DATE": _dates(f["consent_at"], "%Y/%m/%d"), "MODIFIED": _times(f["updated"],
        "%Y/%m/%d %H:%M:%S"),
    })  # fmt: skip


LAYOUTS: dict[str, Callable[[Content], pa.Table]] = {
    "core_banking": _core_banking,
    "cards": _cards,
    "lending": _lending,
    "deposits": _deposits,
    "trade_finance": _trade_finance,
    "mortgage": _mortgage,
    "investment": _investment,
}
"""The columns of each system's extract from what the system holds."""
