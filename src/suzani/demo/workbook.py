"""A plain Excel workbook of one sheet, written without a library: the same table gives the same bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_ML = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_ML}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_ML}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Deals" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>'
    ),
}


def _cells(column: pa.Array) -> pa.StringArray:
    """Each value as the XML of its cell; null is an empty cell."""
    if pa.types.is_floating(column.type):
        text, before, after = column.cast(pa.string()), "<c><v>", "</v></c>"
    else:
        text = column.cast(pa.string())
        for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = pc.replace_substring(text, sign, escaped)
        before, after = '<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"
    return pc.binary_join_element_wise(pa.scalar(before), text, pa.scalar(after), "").fill_null("<c/>")


def _rows(table: pa.Table) -> str:
    header = pa.array([[name] for name in table.column_names]).flatten()
    first = "".join(_cells(header).to_pylist())
    lines = pc.binary_join_element_wise(*(_cells(column.combine_chunks()) for column in table.columns), "")
    body = "".join(f"<row>{line}</row>" for line in lines.to_pylist())
    return f"<row>{first}</row>{body}"


def write_workbook(table: pa.Table, path: Path) -> None:
    """Writes `table` as the sheet "Deals" with a header row; text as text, floats as numbers."""
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{_rows(table)}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (*_PARTS.items(), ("xl/worksheets/sheet1.xml", sheet)):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _HEAD + content)
