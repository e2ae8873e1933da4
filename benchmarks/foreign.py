"""Recover mixes that were made with other makers' plug-ins: benchmarks/foreign.md.

    apt-get install lilv-utils lsp-plugins-lv2 x42-plugins calf-plugins swh-lv2 sox ffmpeg ardour
    python benchmarks/foreign.py                  the stems of all songs that are here, every rack in turn
    python benchmarks/foreign.py --songs sample --racks lsp --seed 7

Nothing of the console is in these mixes: no equalizer, compressor or reverb of ours. Beside each stands what
any linear filters of 8192 samples, one per stem and channel, would reach; the aim is half of their loss.
Run it on an otherwise idle machine: each recovery is timed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import numpy as np
import soundfile
from _foreign_mix import free_filters, la, mixed, sounding_stems
from _foreign_plugins import RACKS
from _record import Record, Run, recover_apart
from _songs import ROOT, Song, machine, names, songs_here

from mix2daw.experiments.markdown import table

TOOLS = ("lv2apply", "sox", "ffmpeg")
HEADS = (
    *("stems of", "rack", "tracks", "s", "La: sum of stems", "free filters", "**recovered**"),
    *("of free filters", "SDR dB", "devices", "wall s", "CPU s", "null dB"),
)
NOTES = """\
Free filters: least squares per bin of 8192 samples, mid and side of every stem to either channel: about what
a linear console without a long reverb could reach. Of free filters: the recovery's loss as a share of theirs;
the aim is 50 % within 180 s for 10 stems of 30 s. Wall and CPU seconds: the whole process, all sessions
written. Racks, each an equalizer, compressors of tracks and of groups, and a reverb:"""


def main() -> None:
    """Mix, recover, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--songs", type=names, help="whose stems, by comma; all that are here if not given")
    parser.add_argument("--racks", type=names, default=tuple(RACKS), help=f"by comma: {', '.join(RACKS)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "foreign")
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".md"))
    options = parser.parse_args()
    if unknown := [name for name in options.racks if name not in RACKS]:
        parser.error(f"there is no rack {unknown[0]!r}: use some of {', '.join(RACKS)}")
    if missing := [tool for tool in TOOLS if which(tool) is None]:
        parser.error(f"{missing[0]} is not here: install what the help of this script names first")
    try:
        songs = {song.stems: song for song in reversed(list(songs_here(options.songs)))}
    except ValueError as error:
        parser.error(str(error))
    rows = []
    for song in reversed(songs.values()):
        for rack in options.racks:
            rows.append(row(song, rack, options.seed, options.out / f"{song.name}-{rack}-{options.seed}"))
            print(" | ".join(rows[-1]), flush=True)
    options.table.write_text(report(rows, options.seed), encoding="utf-8")


def report(rows: Sequence[Sequence[str]], seed: int) -> str:
    """The whole Markdown file."""
    racks = "\n".join(f"- {name}: {rack.makers}" for name, rack in RACKS.items())
    return f"{machine()}; seed {seed}.\n\n{table(HEADS, rows)}\n\n{NOTES}\n\n{racks}\n"


def row(song: Song, rack: str, seed: int, out: Path) -> tuple[str, ...]:
    """Mix a song's stems, recover that mix, and measure."""
    stems, sample_rate = sounding_stems(song.stems)
    mix = mixed(stems, sample_rate, RACKS[rack], seed)
    out.mkdir(parents=True, exist_ok=True)
    soundfile.write(out / "mix.flac", mix.T, sample_rate, subtype="PCM_24")
    free = la(free_filters(stems, mix), mix, sample_rate)
    summed = la(np.sum(list(stems.values()), axis=0, dtype=np.float32), mix, sample_rate)
    record: Record = recover_apart(Song(song.name, song.stems, out / "mix.flac", song.groups), Run(), out)
    result, found = record.result, record.result["la"]["full"]
    before, after = result["devices_before"]["total"], result["devices_after"]["total"]
    return (
        *(song.name, rack, str(len(stems)), f"{mix.shape[1] / sample_rate:.0f}"),
        *(f"{summed:.3f}", f"{free:.3f}"),
        *(f"**{found:.3f}**", f"{found / free:.0%}", f"{result['sdr_db']:.1f}", f"{before} → {after}"),
        *(f"{record.wall_s:.0f}", f"{record.cpu_s:.0f}", f"{result['null_db']['torch_pedalboard']:.0f}"),
    )


if __name__ == "__main__":
    main()
