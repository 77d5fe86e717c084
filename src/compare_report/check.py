#!/usr/bin/env python3
"""What PDF/A-2a and PDF/UA-1 ask of a compare report, as far as pikepdf (QPDF) shows it.

    check.py FILE

Each line that it prints is something that the standards want and the file hasn't; it ends with
status 1 then. It is no complete validator: content streams are looked at for marked content, text
outside of fonts' maps and transparency are not.
"""

import sys

import pikepdf

FORBIDDEN_ACTIONS = {
    "/JavaScript",
    "/Launch",
    "/Sound",
    "/Movie",
    "/ResetForm",
    "/ImportData",
    "/GoToR",
    "/GoToE",
    "/URI",
    "/SubmitForm",
}
XMP = {
    "http://www.aiim.org/pdfa/ns/id/": {"part": "2", "conformance": "A"},
    "http://www.aiim.org/pdfua/ns/id/": {"part": "1"},
}
wrong = []


def want(holds, what):
    if not holds:
        wrong.append(what)


def dictionaries(pdf):
    for thing in pdf.objects:
        if isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
            yield thing
            for _, value in thing.items():
                if isinstance(value, pikepdf.Dictionary) and not value.is_indirect:
                    yield value


def file_itself(pdf, data):
    want(data.startswith(b"%PDF-1.7\n"), "the header says PDF 1.7")
    second = data.split(b"\n", 2)[1]
    want(
        second.startswith(b"%") and sum(byte > 127 for byte in second) >= 4,
        "a comment of bytes above 127 follows the header",
    )
    want(data.rstrip(b"\r\n").endswith(b"%%EOF"), "nothing follows the end")
    want(not pdf.is_encrypted, "it is not encrypted")
    want("/ID" in pdf.trailer, "it has an id")
    for thing in dictionaries(pdf):
        want(
            "/Crypt" not in str(thing.get("/Filter", ""))
            and "/LZW" not in str(thing.get("/Filter", "")),
            "no Crypt and no LZW filter",
        )
        if isinstance(thing, pikepdf.Stream):
            want("/F" not in thing and "/FFilter" not in thing, "no stream lies in another file")
        if (
            str(thing.get("/S", "")) in FORBIDDEN_ACTIONS
            and thing.get("/Type", "/Action") == "/Action"
        ):
            want("/P" in thing, f"no action {thing['/S']}")
        want("/AA" not in thing and "/JS" not in thing, "no scripts")
        want("/EF" not in thing, "no embedded files")
        want(
            thing.get("/Subtype", "")
            not in ("/PS", "/Movie", "/Sound", "/3D", "/Screen", "/FileAttachment"),
            "no foreign content",
        )


def catalogue(pdf):
    root = pdf.Root
    want(str(root.get("/Lang", "")) == "en-US", "its language is said")
    want(root.get("/MarkInfo", {}).get("/Marked", False), "it says that it is tagged")
    want(
        root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False),
        "its title is shown, not its name",
    )
    want(
        "/OpenAction" not in root and "/AcroForm" not in root and "/Names" not in root,
        "nothing happens by itself, no forms, no names",
    )
    want("/Outlines" in root, "it has a list of its parts")
    intents = root.get("/OutputIntents", [])
    want(len(intents) == 1 and intents[0]["/S"] == "/GTS_PDFA1", "one output intent for PDF/A")
    if intents:
        profile = intents[0]["/DestOutputProfile"].read_bytes()
        want(
            profile[36:40] == b"acsp"
            and profile[16:20] == b"RGB "
            and int.from_bytes(profile[:4], "big") == len(profile),
            "its profile is an ICC profile of RGB",
        )


def metadata(pdf):
    want("/Filter" not in pdf.Root.Metadata, "the metadata can be read without a filter")
    packet = pdf.open_metadata()
    for space, fields in XMP.items():
        for name, value in fields.items():
            want(
                packet.get(f"{{{space}}}{name}") == value,
                f"the metadata says {name} {value} of {space}",
            )
    info = pdf.docinfo
    want(
        bool(packet.get("dc:title")) and packet.get("dc:title") == str(info["/Title"]),
        "title, in both places",
    )
    want(
        packet.get("pdf:Producer") == str(info["/Producer"])
        and packet.get("xmp:CreatorTool") == str(info["/Creator"]),
        "makers, in both places",
    )
    want(
        "".join(filter(str.isdigit, packet.get("xmp:CreateDate", "")))[:14]
        == str(info["/CreationDate"])[2:16],
        "the date, in both places",
    )
    authors = packet.get("dc:creator")
    want(
        authors is not None and list(authors) == [str(info["/Author"])],
        "the author, in both places",
    )


def fonts(pdf):
    seen = 0
    for thing in pdf.objects:
        if (
            not isinstance(thing, pikepdf.Dictionary)
            or thing.get("/Type") != "/Font"
            or thing.get("/Subtype") != "/Type0"
        ):
            continue
        seen += 1
        name = str(thing["/BaseFont"])
        inner = thing["/DescendantFonts"][0]
        descriptor = inner["/FontDescriptor"]
        want(any(key in descriptor for key in ("/FontFile2", "/FontFile3")), f"{name} is embedded")
        want(name[7:8] == "+", f"{name} is a subset")
        want("/ToUnicode" in thing, f"{name} maps to Unicode")
        want(
            inner["/Subtype"] != "/CIDFontType2" or "/CIDToGIDMap" in inner,
            f"{name} maps to glyphs",
        )
    want(seen == 3, f"three typefaces, found {seen}")
    others = [
        t
        for t in pdf.objects
        if isinstance(t, pikepdf.Dictionary)
        and t.get("/Type") == "/Font"
        and t.get("/Subtype") in ("/Type1", "/TrueType", "/Type3")
    ]
    want(not others, "no other kinds of fonts")


def pages(pdf):
    for number, page in enumerate(pdf.pages, 1):
        want([float(n) for n in page.MediaBox] == [0, 0, 612, 792], f"page {number} is Letter")
        want(page.get("/Tabs") == "/S" or "/Annots" not in page, f"page {number}: order of tabs")
        want("/Annots" not in page or len(page.Annots) == 0, f"page {number}: no annotations")
        want("/StructParents" in page, f"page {number} belongs to the tree")
        depth = 0
        for operands, operator in pikepdf.parse_content_stream(page):
            operator = str(operator)
            if operator in ("BDC", "BMC"):
                depth += 1
                want(depth == 1, f"page {number}: marked content is not nested")
            elif operator == "EMC":
                depth -= 1
            elif operator in ("Tj", "TJ", "f", "f*", "S", "Do", "sh", "BI"):
                if depth != 1:
                    name = str(operands[0]) if operator == "Do" else ""
                    want(
                        False, f"page {number}: {operator} {name} is neither tagged nor an artifact"
                    )
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Stream) and thing.get("/Subtype") == "/Image":
            want(not thing.get("/Interpolate", False), "no image is smoothed by the reader")
            want(
                "/Alternates" not in thing and "/OPI" not in thing,
                "no image has another in its place",
            )
            want("/SMask" not in thing, "no photo is seen through")


def tree(pdf):
    root = pdf.Root.StructTreeRoot
    headings, figures, tables = [], 0, 0

    def children(node):
        kids = node.get("/K", [])
        return list(kids) if isinstance(kids, pikepdf.Array) else [kids]

    def walk(node):
        nonlocal figures, tables
        if not isinstance(node, pikepdf.Dictionary) or "/S" not in node:
            return
        kind = str(node["/S"])[1:]
        if kind in ("H1", "H2", "H3", "H4", "H5", "H6"):
            headings.append(int(kind[1]))
        if kind == "Figure":
            figures += 1
            want(len(str(node.get("/Alt", ""))) > 5, "a figure has words for who can't see it")
            attributes = node.get("/A", {})
            attributes = list(attributes) if isinstance(attributes, pikepdf.Array) else [attributes]
            want(
                any("/BBox" in attribute for attribute in attributes),
                "a figure says where it stands",
            )
        if kind == "Table":
            tables += 1
            rows = [
                row
                for part in children(node)
                for row in ([part] if part["/S"] == "/TR" else children(part))
            ]
            widths = {len(children(row)) for row in rows}
            want(len(widths) == 1, f"rows of one table have as many cells each, found {widths}")
            cells = [str(cell["/S"]) for row in rows for cell in children(row)]
            want(set(cells) <= {"/TH", "/TD"} and "/TH" in cells, "a table has heads")
        for child in children(node):
            walk(child)

    for child in children(root):
        walk(child)
    want(headings[:1] == [1] and headings.count(1) == 1, "one title, first")
    want(
        all(after <= before + 1 for before, after in zip(headings, headings[1:])),
        "no level of headings is left out",
    )
    want(figures >= 2 and tables >= 3, "photos and tables are tagged")


def main():
    name = sys.argv[1]
    with open(name, "rb") as file:
        data = file.read()
    with pikepdf.open(name) as pdf:
        file_itself(pdf, data)
        catalogue(pdf)
        metadata(pdf)
        fonts(pdf)
        pages(pdf)
        tree(pdf)
    for what in sorted(set(wrong)):
        print(f"wanted: {what}")
    sys.exit(bool(wrong))


main()
