"""The venue's own recipe for a local book, for clients that bring messages and keep no books.

Word for word, as its documentation has it: buffer the updates, ask for a snapshot, drop what is older, demand that
the first one left holds the snapshot's id, and that every further one follows the one before. It counts what a
server that bridges faults must never cause: a first update that does not lead on, and a hole.
"""

import threading


class Book:
    """One symbol. `take` is handed every update in order; `start` the snapshot, when it has come."""

    def __init__(self, market):
        self.is_linked = market != "spot"
        self.bids, self.asks, self.id = {}, {}, None
        self.buffer, self.holes, self.late = [], 0, 0
        self.is_first = True
        self.lock = threading.Lock()

    @property
    def has_begun(self):
        """Whether an update has come: a snapshot that is asked for earlier may be older than the stream."""
        return self.id is not None or bool(self.buffer)

    def start(self, snapshot):
        """Begins at a snapshot, and takes the updates that have come before it."""
        with self.lock:
            self.bids = {price: quantity for price, quantity in snapshot["bids"]}
            self.asks = {price: quantity for price, quantity in snapshot["asks"]}
            self.id, self.is_first = snapshot["lastUpdateId"], True
            buffered, self.buffer = self.buffer, []
            for update in buffered:
                self._apply(update)

    def take(self, update):
        """Takes an update; whether the book is at its id."""
        with self.lock:
            if self.id is None:
                self.buffer.append(update)
                return False
            return self._apply(update)

    def _apply(self, update):
        first, last = update["U"], update["u"]
        # Spot drops u <= lastUpdateId, the futures u < lastUpdateId.
        if last < self.id or (last == self.id and not (self.is_linked and self.is_first)):
            return False
        if self.is_first:
            leads_on = first <= self.id <= last if self.is_linked else first <= self.id + 1 <= last
            self.late += 0 if leads_on else 1
        else:
            follows = update["pu"] == self.id if self.is_linked else first == self.id + 1
            self.holes += 0 if follows else 1
        self.is_first, self.id = False, last
        for levels, changes in ((self.bids, update["b"]), (self.asks, update["a"])):
            for price, quantity in changes:
                if float(quantity) == 0:
                    levels.pop(price, None)
                else:
                    levels[price] = quantity
        return True

    def best(self, count=50):
        """The best levels: bids, asks."""
        return (
            sorted(self.bids.items(), key=lambda level: -float(level[0]))[:count],
            sorted(self.asks.items(), key=lambda level: float(level[0]))[:count])
