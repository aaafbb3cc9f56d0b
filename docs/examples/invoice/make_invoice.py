#!/usr/bin/env python3
"""Draws the sample invoice, invoice.png, and writes the text that stands on it,
invoice.json: [{"text", "box": [left, top, right, bottom], "turned"}], in reading
order. Always the same picture; everything on it is made up.

  python make_invoice.py [--into DIR]      needs Pillow and the DejaVu fonts
"""

import argparse
import json
import pathlib

from PIL import Image, ImageDraw, ImageFont

FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")
WIDTH, HEIGHT, MARGIN = 1000, 1290, 70

SELLER = ["Northwind Instruments Ltd.", "18 Harbour Road, Bristol BS1 6UX", "VAT No. GB 417 2096 53"]
BUYER = ["Bill to", "Lucerne Publishing GmbH", "Att. Margie Keller", "Bahnhofstrasse 42, 8001 Zurich"]
FACTS = [("Invoice No.", "NW-204817"), ("Date", "17/03/2026"), ("Due date", "16/04/2026")]
COLUMNS = ["Description", "Qty", "Unit price", "Amount"]
ITEMS = [
    ("Pressure sensor PT-310", 12, 4850),
    ("Stainless fitting 1/4 inch", 24, 695),
    ("Calibration certificate", 12, 2200),
    ("Signal cable, 5 metres", 12, 1840),
    ("Express freight", 1, 3975),
]
NOTES = ["Payment within 30 days to IBAN GB29 NWBK 6016 1331 9268 19",
         "Questions: billing@northwind.example or +44 117 496 0712"]
TURNED = "Return this slip with your payment"


class Sheet:
    """A page that remembers what was written on it."""

    def __init__(self):
        self.image = Image.new("L", (WIDTH, HEIGHT), 250)
        self.draw = ImageDraw.Draw(self.image)
        self.lines = []

    def write(self, text, x, y, size=22, bold=False, right=False):
        font = ImageFont.truetype(str(FONTS / f"DejaVuSans{'-Bold' if bold else ''}.ttf"), size)
        if right:
            x -= round(font.getlength(text))
        self.draw.text((x, y), text, font=font, fill=25)
        self._remember(text, self.draw.textbbox((x, y), text, font=font), False)

    def write_turned(self, text, x, y, size=22):
        """The same upside down, as on the stub of a form."""
        font = ImageFont.truetype(str(FONTS / "DejaVuSans.ttf"), size)
        left, top, right, bottom = font.getbbox(text)
        patch = Image.new("L", (right - left, bottom - top), 250)
        ImageDraw.Draw(patch).text((-left, -top), text, font=font, fill=25)
        self.image.paste(patch.rotate(180), (x, y))
        self._remember(text, (x, y, x + patch.width, y + patch.height), True)

    def rule(self, y, width=2):
        self.draw.line((MARGIN, y, WIDTH - MARGIN, y), fill=90, width=width)

    def _remember(self, text, box, turned):
        self.lines.append({"text": text, "box": [round(v) for v in box], "turned": turned})


def money(cents):
    return f"{cents // 100:,}.{cents % 100:02d}"


def header(sheet):
    sheet.write("INVOICE", MARGIN, 60, 44, bold=True)
    for i, text in enumerate(SELLER):
        sheet.write(text, MARGIN, 140 + 36 * i, 22, bold=i == 0)
    for i, text in enumerate(BUYER):
        sheet.write(text, MARGIN, 290 + 36 * i, 22, bold=i == 0)
    for i, (name, value) in enumerate(FACTS):
        sheet.write(name, 600, 290 + 36 * i)
        sheet.write(value, WIDTH - MARGIN, 290 + 36 * i, right=True)


def table(sheet, top):
    edges = [MARGIN, 590, 770, WIDTH - MARGIN]
    rows = [COLUMNS] + [[n, str(q), money(p), money(q * p)] for n, q, p in ITEMS]
    for row, cells in enumerate(rows):
        y = top + 46 * row
        for column, (text, x) in enumerate(zip(cells, edges)):
            sheet.write(text, x, y, bold=row == 0, right=column > 0)
        sheet.rule(y + 36, 2 if row == 0 else 1)
    return top + 46 * len(rows)


def totals(sheet, top):
    net = sum(q * p for _, q, p in ITEMS)
    tax = net // 5
    for i, (name, value) in enumerate([("Subtotal", net), ("VAT 20%", tax), ("Total due EUR", net + tax)]):
        sheet.write(name, 560, top + 44 * i, 22 if i < 2 else 26, bold=i == 2)
        sheet.write(money(value), WIDTH - MARGIN, top + 44 * i, 22 if i < 2 else 26, i == 2, right=True)


def draw():
    sheet = Sheet()
    header(sheet)
    bottom = table(sheet, 500)
    totals(sheet, bottom + 24)
    for i, text in enumerate(NOTES):
        sheet.write(text, MARGIN, bottom + 220 + 40 * i)
    sheet.rule(bottom + 340, 1)
    sheet.write_turned(TURNED, MARGIN + 200, bottom + 390)
    return sheet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--into", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    into = parser.parse_args().into
    sheet = draw()
    sheet.image.save(into / "invoice.png", optimize=True)
    rows = ",\n".join(" " + json.dumps(line) for line in sheet.lines)
    (into / "invoice.json").write_text(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    main()
