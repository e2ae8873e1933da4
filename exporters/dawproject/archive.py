"""The ZIP: project.xml, metadata.xml and the audio, with the same bytes for the same content."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree

from mix2daw.errors import OutputError

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def write_archive(path: Path, project: etree._Element, media: Path | None, comment: str) -> None:
    """The archive, with the files of `media` unless that is None: fixed order, times, attributes. Written to
    a seekable file, so that the CRC of each entry is in its local header, which some readers need."""
    metadata = etree.Element("MetaData")
    etree.SubElement(metadata, "Title").text = "mix2daw"
    etree.SubElement(metadata, "Comment").text = comment
    try:
        with zipfile.ZipFile(path, "w") as archive:
            for name, root in (("project.xml", project), ("metadata.xml", metadata)):
                xml = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
                archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), xml)
            for file in sorted(media.iterdir()) if media else ():
                entry = _entry(f"audio/{file.name}", zipfile.ZIP_STORED)
                entry.file_size = file.stat().st_size
                with file.open("rb") as source, archive.open(entry, "w") as target:
                    while block := source.read(1 << 20):
                        target.write(block)
    except OSError as error:
        raise OutputError(
            path, f"cannot be written ({error.strerror})", "check the folder and free space"
        ) from None


def _entry(name: str, method: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_TIME)
    entry.compress_type = method
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry
