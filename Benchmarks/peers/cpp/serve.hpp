// Answers the driver, one line for a line: `check`, `pass COUNT`, `latency`. Every contender speaks this.
//
//     check       DIGEST TOUCHED   one pass; digest of the book, sum of the best prices read
//     pass COUNT  NS               CPU time of COUNT passes; going back to the snapshot is not in it
//     latency     P50 P99 MAX      ns of a message, one pass, each message between two fenced readings

#pragma once

#include <time.h>
#include <x86intrin.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "books.hpp"

inline uint64_t nowNs(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return uint64_t(now.tv_sec) * 1000000000u + uint64_t(now.tv_nsec);
}

inline uint64_t ticks() {
    _mm_lfence();
    uint64_t now = __rdtsc();
    _mm_lfence();
    return now;
}

/// What the clock itself takes at least.
template <class Clock> uint64_t leastCost(Clock clock) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 10000; i++) {
        uint64_t before = clock();
        least = std::min(least, clock() - before);
    }
    return least;
}

/// `Parser` reads a message and calls back with its levels; `Book` keeps them.
template <class Parser, class Book>
struct Contender {
    Feed feed;
    Parser parser;
    Book book;
    uint64_t touched = 0;
    std::vector<uint64_t> samples;

    explicit Contender(const char* path) : feed(path), parser(feed), samples(feed.messages.size()) {}

    void rewind() {
        book.clear();
        touched = 0;
        if (!feed.body.empty()) take(feed.body);
        touched = 0;
    }

    __attribute__((always_inline)) void take(std::string_view message) {
        auto set = [this](bool isBid, int64_t price, int64_t quantity) __attribute__((always_inline)) {
            book.set(isBid, price, quantity);
        };
        parser.parse(message, set);
        touched += book.touched();
    }

    __attribute__((noinline)) uint64_t pass() {
        uint64_t start = nowNs(CLOCK_THREAD_CPUTIME_ID);
        for (auto message : feed.messages) take(message);
        return nowNs(CLOCK_THREAD_CPUTIME_ID) - start;
    }

    void check() {
        rewind();
        pass();
        Digest digest;
        book.forBids([&](int64_t price, int64_t quantity) { digest.add(price, quantity); });
        digest.endSide();
        book.forAsks([&](int64_t price, int64_t quantity) { digest.add(price, quantity); });
        digest.endSide();
        printf("%016lx %016lx\n", digest.value, touched);
    }

    void passes(long count, uint64_t clockCost) {
        uint64_t sum = 0;
        for (long i = 0; i < count; i++) {
            rewind();
            sum += pass() - clockCost;
        }
        printf("%lu\n", sum);
    }

    void latency(double nsPerTick, uint64_t clockCost) {
        rewind();
        for (size_t i = 0; i < feed.messages.size(); i++) {
            uint64_t start = ticks();
            take(feed.messages[i]);
            uint64_t spent = ticks() - start;
            samples[i] = spent - std::min(spent, clockCost);
        }
        std::sort(samples.begin(), samples.end());
        auto at = [&](double q) {
            return double(samples[size_t(q * double(samples.size() - 1))]) * nsPerTick;
        };
        printf("%.1f %.1f %.1f\n", at(0.5), at(0.99), at(1));
    }

    int serve() {
        uint64_t startTicks = ticks(), startNs = nowNs(CLOCK_MONOTONIC);
        uint64_t cpuCost = leastCost([] { return nowNs(CLOCK_THREAD_CPUTIME_ID); });
        uint64_t tickCost = leastCost(ticks);
        printf("ready %s, %s\n", Parser::name().c_str(), compiler().c_str());
        fflush(stdout);
        std::string line;
        while (std::getline(std::cin, line)) {
            if (line == "check") {
                check();
            } else if (line.rfind("pass ", 0) == 0) {
                passes(atol(line.c_str() + 5), cpuCost);
            } else if (line == "latency") {
                double ns = double(nowNs(CLOCK_MONOTONIC) - startNs);
                latency(ns / double(ticks() - startTicks), tickCost);
            } else {
                return 64;
            }
            fflush(stdout);
        }
        return 0;
    }
};

template <class Parser> int peerMain(int argc, char** argv) {
    if (argc != 3) return 64;
    std::string book = argv[1];
    if (book == "map") return Contender<Parser, StdBook>(argv[2]).serve();
    if (book == "btree_map") return Contender<Parser, BTreeBook>(argv[2]).serve();
    if (book == "flat_map") return Contender<Parser, FlatBook>(argv[2]).serve();
    return 64;
}
