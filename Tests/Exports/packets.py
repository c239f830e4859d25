"""Holds the packet captures of `lob convert` to its text, with the packages that others read them with: dpkt, and
tshark and cryptofeed 3 (Python 3.13) where they are. Usage: packets.py LOB CAPTURE…"""

import collections
import pathlib
import shutil
import subprocess
import sys
import tempfile

import dpkt


def lines(path):
    """Messages and bodies of a text with their times."""
    messages, bodies = [], []
    for line in path.read_text().splitlines():
        time, _, text = line.partition(" ")
        is_body = text.startswith('{"symbol"') or text.startswith('{"lastUpdateId"')
        (bodies if is_body else messages).append((int(time), text))
    return messages, bodies


def frames(data):
    """Texts of WebSocket frames without a mask."""
    at = 0
    while at < len(data):
        length, head = data[at + 1] & 127, 2
        if length >= 126:
            head = 4 if length == 126 else 10
            length = int.from_bytes(data[at + 2 : at + head], "big")
        yield at, data[at + head : at + head + length].decode()
        at += head + length


def with_dpkt(path):
    """Messages of the server's WebSocket conversations, and the number of answers."""
    sent = collections.defaultdict(lambda: (bytearray(), []))
    for time, packet in dpkt.pcap.Reader(open(path, "rb")):
        ip = dpkt.ethernet.Ethernet(packet).data
        checks = (ip.sum, ip.data.sum)
        # A check of 0 is computed.
        ip.sum = ip.data.sum = 0
        again = dpkt.ip.IP(bytes(ip))
        assert (again.sum, again.data.sum) == checks, "check of a packet"
        if ip.data.sport == 80 and ip.data.data:
            data, starts = sent[ip.data.dport]
            starts.append((len(data), round(time * 1_000_000_000)))
            data += ip.data.data
    messages, answers = [], 0
    for data, starts in sent.values():
        head, _, rest = bytes(data).partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            answers += bytes(data).count(b"HTTP/1.1 200 OK\r\n")
            continue
        messages += [text for _, text in frames(rest)]
    return messages, answers


def check(lob, capture, folder):
    packets, text = folder / "c.pcap", folder / "c.txt"
    for out in (packets, text):
        subprocess.run([lob, "convert", capture, "--out", out, "--force"], check=True, capture_output=True)
    messages, bodies = lines(text)
    found, answers = with_dpkt(packets)
    assert found == [message for _, message in messages], "dpkt reads other messages"
    assert answers == len(bodies), "dpkt reads other answers"
    words = [f"dpkt {len(found)} messages, {answers} answers"]
    if shutil.which("tshark"):
        seen = subprocess.run(
            ["tshark", "-r", packets, "-Y", "websocket.payload.text", "-T", "fields", "-e", "frame.time_epoch"],
            check=True, capture_output=True, text=True).stdout.splitlines()
        bad = subprocess.run(
            ["tshark", "-r", packets, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y",
             "ip.checksum.status == 0 || tcp.checksum.status == 0 || tcp.analysis.flags"],
            check=True, capture_output=True, text=True).stdout.splitlines()
        assert len(seen) == len(messages) and not bad, f"tshark: {len(seen)} messages, {len(bad)} bad packets"
        words.append(f"tshark {len(seen)} messages, no bad packet")
    try:
        from cryptofeed.capture import read_capture
    except ImportError:
        read_capture = None
    if read_capture:
        read = read_capture(str(packets))
        own = [(time, text) for session in read.ws for time, way, text in session.messages if way == "in"]
        assert own == messages, "cryptofeed reads other messages"
        assert sum(len(session.requests) for session in read.http) == len(bodies), "cryptofeed: other answers"
        words.append(f"cryptofeed {len(own)} messages")
    print(f"{pathlib.Path(capture).name}: {'; '.join(words)}")


with tempfile.TemporaryDirectory() as folder:
    for capture in sys.argv[2:]:
        check(sys.argv[1], capture, pathlib.Path(folder))
