"""A flame graph as SVG: what calls what from the bottom up, as wide as its share of the samples."""

import html
import zlib

WIDTH, ROW, TEXT_PX, LETTER_PX, LEAST_PX = 1200, 16, 11, 6.6, 0.5
HUES = {"kernel": 0, "crema": 205, "caf": 280, "mdb": 30, "boost": 120}


class Frame:
    def __init__(self, name):
        self.name, self.samples, self.inside = name, 0, {}

    def add(self, names, samples):
        self.samples += samples
        if names:
            self.inside.setdefault(names[0], Frame(names[0])).add(names[1:], samples)

    def depth(self):
        return 1 + max((f.depth() for f in self.inside.values()), default=0)


def tree(folded):
    root = Frame("all")
    for names, samples in folded:
        root.add(names, samples)
    return root


def colour(name):
    """A hue for each library, a shade for each name."""
    hue = next((h for start, h in HUES.items() if name.startswith(start)), 50)
    return f"hsl({hue},65%,{60 + zlib.crc32(name.encode()) % 20}%)"


def boxes(frame, total, x=0.0, level=0):
    """(name, samples, x, width, level) of each frame that can be seen."""
    width = WIDTH * frame.samples / total
    if width < LEAST_PX:
        return
    yield frame.name, frame.samples, x, width, level
    for name in sorted(frame.inside):
        inner = frame.inside[name]
        yield from boxes(inner, total, x, level + 1)
        x += WIDTH * inner.samples / total


def to_svg(folded, title):
    root = tree(folded)
    height = (root.depth() + 2) * ROW
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="{TEXT_PX}">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             f'<text x="{WIDTH / 2}" y="{ROW}" text-anchor="middle" font-size="14">{html.escape(title)}</text>']
    for name, samples, x, width, level in boxes(root, root.samples):
        y = height - (level + 1) * ROW
        fits = int(width / LETTER_PX) - 1
        label = name if len(name) <= fits else name[: fits - 1] + "…" if fits > 3 else ""
        lines.append(f'<g><title>{html.escape(name)}: {100 * samples / root.samples:.1f} %</title>'
                     f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.3, 0.2):.1f}" height="{ROW - 1}" fill="{colour(name)}"/>'
                     + (f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(label)}</text>' if label else "") + "</g>")
    return "\n".join([*lines, "</svg>"]) + "\n"
