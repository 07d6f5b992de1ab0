"""From `perf script` to a flame graph (SVG) and the shares of the rooms (Markdown), without anything else."""
import collections
import html
import re
import sys

WIDTH, ROW, FONT, MINIMUM = 1200, 17, 11, 0.4
KERNEL_COLOUR, USER_COLOUR, LIBRARY_COLOUR = "#c2703d", "#3d7ac2", "#8a8a8a"

KERNEL = "[kernel.kallsyms]"
# What the kernel does: the first of these that has a word in the innermost frame that has any.
IN_KERNEL = [
    ("kernel: copy of the payload", ["_copy_from_iter", "_copy_to_iter", "copy_page_to_iter", "copy_folio"]),
    ("kernel: files", ["vfs_read", "vfs_write", "io_read", "io_write", "do_preadv", "do_pwritev", "blk_"]),
    ("kernel: TCP, receiving", ["tcp_recvmsg", "sock_recvmsg", "io_recv", "tcp_v4_rcv"]),
    ("kernel: TCP, sending", ["tcp_sendmsg", "sock_sendmsg", "io_sendmsg", "sys_sendmsg"]),
    ("kernel: waiting and being woken", ["schedule", "io_cqring_wait", "ep_poll", "finish_task_switch"]),
    ("kernel: io_uring and the rest", [""]),
]
COPY, DIGEST, OTHER = "copy of the payload", "digests", "run-time and C library"
ROOMS = {"[Scstd.Core]": "mid-layer (Scstd.Core)", "[Scstd.Scsi]": "command rows (Scstd.Scsi)",
         "[Scstd.Backends]": "device server (Scstd.Backends)",
         "[Scstd.Frontends.Iscsi]": "iSCSI (Scstd.Frontends.Iscsi)", "[Scstd.Linux]": "loop (Scstd.Linux)"}
STAGES = [title for title, _ in IN_KERNEL] + [COPY, DIGEST, *ROOMS.values(), OTHER]


def name_of(line):
    """A frame's name, short, with the room in front; None for what is only noise below the reactor's loop."""
    found = re.match(r"\s*[0-9a-f]+ (.*) \((.*)\)$", line)
    if not found:
        return None
    symbol, module = found.groups()
    managed = re.search(r"\[([\w.]+)\] ([\w.+<>`]+)::([\w.<>|]+)", symbol)
    if managed:
        return f"[{managed[1]}] {managed[2].rpartition('.')[2]}::{managed[3]}"
    if "kernel" in module:
        return f"{KERNEL} {symbol}"
    return symbol if symbol != "[unknown]" else f"[{module.rpartition('/')[2]}]"


def stacks(lines, thread):
    """{(outermost, …, innermost): samples} of the threads whose name begins with `thread`."""
    found, frames, wanted = collections.Counter(), [], False
    for line in [*lines, ""]:
        if not line.strip():
            if wanted and frames:
                found[tuple(reversed(frames))] += 1
            frames, wanted = [], False
        elif not line[0].isspace():
            wanted = line.startswith(thread)
        elif (name := name_of(line)) is not None:
            frames.append(name)
    return found


def trimmed(stack):
    """Without what lies below the loop: thread start and run-time."""
    for i, frame in enumerate(stack):
        if "LoopReactor::Run" in frame:
            return stack[i:]
    return stack


def stage_in_kernel(stack):
    for frame in reversed(stack):
        if not frame.startswith(KERNEL):
            break
        for title, words in IN_KERNEL[:-1]:
            if any(w in frame for w in words):
                return title
    return IN_KERNEL[-1][0]


def stage_of(stack):
    """What the innermost frame is about; a frame of the run-time or the C library is about its caller's room."""
    innermost = stack[-1]
    if innermost.startswith(KERNEL):
        return stage_in_kernel(stack)
    if any(w in innermost for w in ("memmove", "memcpy", "Memmove", "NativeCopy")):
        return COPY
    for frame in reversed(stack):
        if "Crc32c" in frame:
            return DIGEST
        if "DataBuffer::Copy" in frame:
            return COPY
        if (room := frame.partition(" ")[0]) in ROOMS:
            return ROOMS[room]
    return OTHER


def shares(counted):
    total, by_stage = sum(counted.values()), collections.Counter()
    for stack, samples in counted.items():
        by_stage[stage_of(stack)] += samples
    return [(title, by_stage[title] / total) for title in STAGES if by_stage[title]]


class Node:
    def __init__(self):
        self.samples, self.children = 0, {}

    def add(self, stack, samples):
        self.samples += samples
        if stack:
            self.children.setdefault(stack[0], Node()).add(stack[1:], samples)

    def depth(self):
        return 1 + max((child.depth() for child in self.children.values()), default=0)


def colour(name):
    if name.startswith(KERNEL):
        return KERNEL_COLOUR
    return USER_COLOUR if name.startswith("[Scstd.") else LIBRARY_COLOUR


def boxes(node, left, level, total, rows):
    """One rectangle a frame, its callees above it, as wide as its share."""
    for name, child in sorted(node.children.items()):
        width = WIDTH * child.samples / total
        if width >= MINIMUM:
            y = (rows - level) * ROW
            label = name.replace(KERNEL + " ", "")
            text = label[:int(width / (FONT * 0.6))] if width > 30 else ""
            yield (f'<g><title>{html.escape(name)}: {child.samples / total:.1%}</title>'
                   f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour(name)}"/>'
                   f'<text x="{left + 2:.1f}" y="{y + ROW - 5}">{html.escape(text)}</text></g>')
            yield from boxes(child, left, level + 1, total, rows)
        left += width


def svg(counted, title):
    root = Node()
    for stack, samples in counted.items():
        root.add(trimmed(stack), samples)
    rows = root.depth()
    height = (rows + 2) * ROW
    drawn = "\n".join(boxes(root, 0, 0, root.samples, rows))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
            f'font-size="{FONT}"><rect width="100%" height="100%" fill="#f7f7f5"/>'
            f'<text x="4" y="14" fill="#222">{html.escape(title)}</text><g fill="#fff">\n{drawn}\n</g></svg>\n')


def main():
    title, thread, path = sys.argv[1:4]
    counted = stacks(sys.stdin.read().splitlines(), thread)
    if not counted:
        raise SystemExit(f"no samples of a thread named {thread}")
    with open(path, "w") as f:
        f.write(svg(counted, f"{title}; {sum(counted.values())} samples; orange: kernel, blue: scstd, grey: others"))
    print(f"| {title} | share |\n|---|---:|")
    for stage, share in shares(counted):
        print(f"| {stage} | {share:.1%} |")


if __name__ == "__main__":
    main()
