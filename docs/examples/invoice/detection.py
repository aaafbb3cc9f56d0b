"""From the detector's probability map to boxes: the post-processing of
"Real-time Scene Text Detection with Differentiable Binarization" (Liao et al.,
arXiv:1911.08947), with numpy alone."""

import numpy as np


def runs_of(mask):
    """Horizontal runs of a boolean image: rows, begins, ends (exclusive)."""
    padded = np.pad(mask.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    rows, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows, begins, ends


def components(mask):
    """Connected regions (8 neighbours), each as an array of (row, begin, end)."""
    rows, begins, ends = (a.tolist() for a in runs_of(mask))
    parent = list(range(len(rows)))

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    above = 0
    for i, row in enumerate(rows):
        while above < i and (rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < begins[i])):
            above += 1
        k = above
        while k < i and rows[k] == row - 1 and begins[k] <= ends[i]:
            parent[find(k)] = find(i)
            k += 1
    groups = {}
    for i in range(len(rows)):
        groups.setdefault(find(i), []).append((rows[i], begins[i], ends[i]))
    return [np.array(g) for g in groups.values()]


def hull(points):
    """Convex hull (Andrew's monotone chain), counter-clockwise."""
    points = sorted(set(map(tuple, points.tolist())))
    if len(points) < 3:
        return np.array(points, np.float64)

    def half(sequence):
        chain = []
        for p in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2], chain[-1]
                if (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax) > 0:
                    break
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(points) + half(points[::-1]), np.float64)


def least_rectangle(points):
    """The rectangle of least area around points (x, y): centre, half sizes and
    the direction of the longer side. One side lies along an edge of the hull."""
    corners = hull(points)
    edges = np.roll(corners, -1, axis=0) - corners
    angles = np.unique(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2))
    axes = np.stack([np.cos(angles), np.sin(angles)], 1)
    normals = np.stack([-axes[:, 1], axes[:, 0]], 1)
    along, across = corners @ axes.T, corners @ normals.T
    width, height = np.ptp(along, axis=0), np.ptp(across, axis=0)
    best = int(np.argmin(width * height))
    axis, normal = axes[best], normals[best]
    middle = lambda v: (v.max() + v.min()) / 2
    centre = middle(along[:, best]) * axis + middle(across[:, best]) * normal
    half = np.array([width[best], height[best]]) / 2
    if half[1] > half[0]:
        half, axis = half[::-1], normal
    return centre, half, axis


def boxes(probability, threshold=0.3, box_threshold=0.5, grow=1.6, least=3):
    """Boxes in a map of text probability: dictionaries with the corners in
    reading order from top left, and the score, the mean probability inside.
    The network marks the core of a line; `grow` (unclip ratio) widens it by
    area * grow / perimeter on every side."""
    sums = np.pad(np.cumsum(probability, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
    found = []
    for region in components(probability > threshold):
        row, begin, end = region.T
        score = (sums[row, end] - sums[row, begin]).sum() / (end - begin).sum()
        points = np.concatenate([np.stack([begin, row], 1), np.stack([end, row], 1),
                                 np.stack([begin, row + 1], 1), np.stack([end, row + 1], 1)])
        centre, half, axis = least_rectangle(points)
        if score < box_threshold or 2 * half.min() < least:
            continue
        half = half + (4 * half[0] * half[1]) * grow / (4 * half.sum())
        found.append({"corners": corners_of(centre, half, axis), "score": float(score)})
    return found


def corners_of(centre, half, axis):
    """Top left, top right, bottom right, bottom left, for text that runs to the
    right (or down, where it is steep)."""
    if axis[0] < -1e-6 or (abs(axis[0]) <= 1e-6 and axis[1] < 0):
        axis = -axis
    along, across = half[0] * axis, half[1] * np.array([-axis[1], axis[0]])
    return np.array([centre - along - across, centre + along - across,
                     centre + along + across, centre - along + across])


def reading_order(found):
    """Rows from the top, each from the left; a row is boxes whose middles differ
    by less than half their height."""
    middle = lambda b: b["corners"][:, 1].mean()
    height = lambda b: np.linalg.norm(b["corners"][3] - b["corners"][0])
    rows = []
    for box in sorted(found, key=middle):
        if rows and abs(middle(box) - middle(rows[-1][0])) < 0.5 * height(rows[-1][0]):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [b for row in rows for b in sorted(row, key=lambda b: b["corners"][0][0])]
