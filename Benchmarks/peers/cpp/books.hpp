// The books people build in C++, each with the best level at the end that its container reads fastest.

#pragma once

#include <absl/container/btree_map.h>

#include <boost/container/flat_map.hpp>
#include <functional>
#include <map>

#include "feed.hpp"

/// Trees: best level first.
template <template <class...> class Map>
struct TreeBook {
    Map<int64_t, int64_t, std::greater<int64_t>> bids;
    Map<int64_t, int64_t, std::less<int64_t>> asks;

    void clear() {
        bids.clear();
        asks.clear();
    }
    void set(bool isBid, int64_t price, int64_t quantity) {
        isBid ? set(bids, price, quantity) : set(asks, price, quantity);
    }
    uint64_t touched() const {
        Level bid, ask;
        if (!bids.empty()) bid = {bids.begin()->first, bids.begin()->second};
        if (!asks.empty()) ask = {asks.begin()->first, asks.begin()->second};
        return touch(bids.empty() ? nullptr : &bid, asks.empty() ? nullptr : &ask);
    }
    template <class Visit> void forBids(Visit visit) const {
        for (auto& [price, quantity] : bids) visit(price, quantity);
    }
    template <class Visit> void forAsks(Visit visit) const {
        for (auto& [price, quantity] : asks) visit(price, quantity);
    }

private:
    template <class Side> static void set(Side& side, int64_t price, int64_t quantity) {
        if (quantity == 0) side.erase(price); else side[price] = quantity;
    }
};

/// One array a side, best level last, so that what changes most moves least.
struct FlatBook {
    boost::container::flat_map<int64_t, int64_t, std::less<int64_t>> bids;
    boost::container::flat_map<int64_t, int64_t, std::greater<int64_t>> asks;

    FlatBook() {
        bids.reserve(32768);
        asks.reserve(32768);
    }
    void clear() {
        bids.clear();
        asks.clear();
    }
    void set(bool isBid, int64_t price, int64_t quantity) {
        isBid ? set(bids, price, quantity) : set(asks, price, quantity);
    }
    uint64_t touched() const {
        Level bid, ask;
        if (!bids.empty()) bid = {bids.rbegin()->first, bids.rbegin()->second};
        if (!asks.empty()) ask = {asks.rbegin()->first, asks.rbegin()->second};
        return touch(bids.empty() ? nullptr : &bid, asks.empty() ? nullptr : &ask);
    }
    template <class Visit> void forBids(Visit visit) const {
        for (auto at = bids.rbegin(); at != bids.rend(); ++at) visit(at->first, at->second);
    }
    template <class Visit> void forAsks(Visit visit) const {
        for (auto at = asks.rbegin(); at != asks.rend(); ++at) visit(at->first, at->second);
    }

private:
    template <class Side> static void set(Side& side, int64_t price, int64_t quantity) {
        if (quantity == 0) side.erase(price); else side[price] = quantity;
    }
};

using StdBook = TreeBook<std::map>;
using BTreeBook = TreeBook<absl::btree_map>;
