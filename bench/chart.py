"""Draws what compare.py measured as an SVG: seconds of each contestant, a group of bars for each model.

  chart.py REPORT.json CHART.svg
"""

import json
import pathlib
import sys
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 760, 190, 70
BAR, GAP, GROUP = 18, 6, 44
COLOURS = {"whisper-s4y": "#2f6fb0", "faster-whisper": "#b07d2f", "whisper.cpp": "#7a7a7a"}


def colour(name):
    return next(colour for prefix, colour in COLOURS.items() if name.startswith(prefix))


def chart(report):
    """Each group has a scale of its own: models differ more than contestants."""
    bars, y = [], 64
    for model in report["models"]:
        times = {name: min(run["seconds"] for run in runs) for name, runs in model["runs"].items()}
        scale = (WIDTH - LEFT - RIGHT) / max(times.values())
        bars.append(f'<text x="12" y="{y + 4}" class="model">{escape(model["model"])}</text>')
        y += 18
        for name, seconds in times.items():
            middle = y + BAR / 2 + 4
            bars.append(f'<text x="{LEFT - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>')
            bars.append(
                f'<rect x="{LEFT}" y="{y}" width="{seconds * scale:.1f}" height="{BAR}" fill="{colour(name)}"/>'
            )
            bars.append(f'<text x="{LEFT + seconds * scale + 6:.1f}" y="{middle}">{seconds:.3f} s</text>')
            y += BAR + GAP
        y += GROUP - GAP
    title = (
        f"{report['audio']}: seconds to transcribe, {report['how']}, {report['threads']} threads, "
        f"least of {report['rounds']}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y - GROUP + 24}" role="img">',
            f"<title>{escape(title)}</title>",
            "<style>text { font: 13px sans-serif; fill: #222 } .model { font-weight: bold }</style>",
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="12" y="26">{escape(title)}</text>',
            *bars,
            "</svg>\n",
        ]
    )


def main():
    report, svg = map(pathlib.Path, sys.argv[1:])
    svg.write_text(chart(json.loads(report.read_text())))


if __name__ == "__main__":
    main()
