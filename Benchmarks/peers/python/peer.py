"""A book of Python behind orjson. Speaks what `cpp/serve.hpp` tells; usage: peer.py BOOK FILE."""

import gc
import struct
import sys
import time

import orjson

from books import BOOKS

MASK = (1 << 64) - 1


def read(path):
    """The REST body and the messages of an exported capture."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] != b"LOBPEER1":
        sys.exit(f"{path}: not an exported capture")
    parts, at = [], 8
    while True:
        (length,) = struct.unpack_from("<I", data, at)
        at += 4
        if length == 0xFFFFFFFF:
            return parts[0], parts[1:]
        parts.append(data[at:at + length])
        at += length


def sides(body):
    """The levels of a REST body or of a message."""
    message = orjson.loads(body)
    message = message.get("data", message)
    return message.get("bids", message.get("b")), message.get("asks", message.get("a"))


def decimals(messages, part):
    for message in messages:
        for side in sides(message):
            for level in side:
                return len(level[part].partition(".")[2])
    return 0


class Peer:
    def __init__(self, book, path):
        self.body, self.messages = read(path)
        self.book = BOOKS[book]()
        self.scales = [10 ** decimals(self.messages, 0), 10 ** decimals(self.messages, 1)]

    def rewind(self):
        self.book.load(*(sides(self.body) if self.body else ([], [])))

    def run(self):
        update, best, loads = self.book.update, self.book.best, orjson.loads
        combined = self.messages[0].startswith(b'{"stream"')
        start = time.thread_time_ns()
        if combined:
            for message in self.messages:
                data = loads(message)["data"]
                update(data["b"], data["a"])
                best()
        else:
            for message in self.messages:
                data = loads(message)
                update(data["b"], data["a"])
                best()
        return time.thread_time_ns() - start

    def mantissa(self, value, part):
        return round(float(value) * self.scales[part])

    def check(self):
        self.rewind()
        touched = 0
        for message in self.messages:
            self.book.update(*sides(message))
            bid, bid_quantity, ask, ask_quantity = self.book.best()
            if bid is not None:
                touched += self.mantissa(bid, 0) + self.mantissa(bid_quantity, 1)
            if ask is not None:
                touched += 3 * self.mantissa(ask, 0) - self.mantissa(ask_quantity, 1)
        value = 0x6C6F62626F6F6B31
        for side in self.book.levels():
            numbers = [self.mantissa(level[part], part) for level in side for part in (0, 1)]
            for number in [*numbers, len(numbers) // 2]:
                value = (value ^ number) * 0x9E3779B97F4A7C15 & MASK
                value ^= value >> 32
        return f"{value:016x} {touched & MASK:016x}"


def main():
    peer = Peer(sys.argv[1], sys.argv[2])
    gc.collect()
    gc.freeze()
    print(f"ready {peer.book.name}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["check"]:
            print(peer.check(), flush=True)
        elif words[:1] == ["pass"]:
            total = 0
            for _ in range(int(words[1])):
                peer.rewind()
                total += peer.run()
            print(total, flush=True)
        else:
            sys.exit(64)


if __name__ == "__main__":
    main()
