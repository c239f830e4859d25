// The exported capture, the same bytes for every contender, and what is computed over a book.
//
// File: "LOBPEER1", then for the REST body (empty if there is none) and for each message behind it: u32
// length, bytes; all little-endian; a length of 0xFFFFFFFF ends it, and 256 zero bytes follow.

#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// What this program was compiled by.
inline std::string compiler() {
#ifdef __clang__
    return "clang " + std::to_string(__clang_major__);
#else
    return "gcc " + std::to_string(__GNUC__);
#endif
}

/// A mapped file of messages.
struct Feed {
    std::string_view body;
    std::vector<std::string_view> messages;
    size_t longest = 0;

    explicit Feed(const char* path) {
        int file = open(path, O_RDONLY);
        struct stat facts {};
        if (file < 0 || fstat(file, &facts) != 0) fail(path);
        size_t size = size_t(facts.st_size);
        void* mapped = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
        auto* base = static_cast<const char*>(mapped);
        if (mapped == MAP_FAILED || size < 16 || memcmp(base, "LOBPEER1", 8) != 0) fail(path);
        size_t at = 8;
        for (bool isBody = true;; isBody = false) {
            uint32_t length;
            if (at + 4 > size) fail(path);
            memcpy(&length, base + at, 4);
            at += 4;
            if (length == UINT32_MAX) break;
            if (at + length + 256 > size) fail(path);
            std::string_view message(base + at, length);
            if (isBody) body = message; else messages.push_back(message);
            if (length > longest) longest = length;
            at += length;
        }
    }

    [[noreturn]] static void fail(const char* path) {
        fprintf(stderr, "%s: not an exported capture\n", path);
        exit(1);
    }
};

/// A price and a quantity as whole numbers of the symbol's last decimal.
struct Level {
    int64_t price, quantity;
};

/// The digits of a decimal as one number, the point left out: every price and every quantity of a symbol
/// prints the same number of decimals, which the export has checked. Reads up to 16 bytes behind its end.
inline int64_t mantissa(const char* p) {
    static constexpr int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    auto run = [](const char* p, int& count) -> int64_t {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= 0x3030303030303030u;
        uint64_t other = (word | (word + 0x0606060606060606u)) & 0xF0F0F0F0F0F0F0F0u;
        count = other ? __builtin_ctzll(other) / 8 : 8;
        if (count == 0) return 0;
        word <<= 64 - 8 * count;
        word = (word * 10) + (word >> 8);
        return int64_t((((word & 0x000000FF000000FFu) * 0x000F424000000064u)
                        + (((word >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u)) >> 32);
    };
    int count;
    int64_t value = run(p, count);
    p += count;
    while (__builtin_expect(count == 8, 0)) {
        int64_t more = run(p, count);
        value = value * powers[count] + more;
        p += count;
    }
    if (*p == '.') {
        int64_t fraction = run(p + 1, count);
        value = value * powers[count] + fraction;
    }
    return value;
}

/// What a reader does after each message: one sum over the best bid and ask.
inline uint64_t touch(const Level* bid, const Level* ask) {
    int64_t sum = 0;
    if (bid) sum = bid->price + bid->quantity;
    if (ask) sum += 3 * ask->price - ask->quantity;
    return uint64_t(sum);
}

/// The digest of a whole book, as the engine defines it.
struct Digest {
    uint64_t value = 0x6C6F62626F6F6B31u;
    uint64_t count = 0;

    void mix(uint64_t x) {
        value = (value ^ x) * 0x9E3779B97F4A7C15u;
        value ^= value >> 32;
    }
    void add(int64_t price, int64_t quantity) {
        mix(uint64_t(price));
        mix(uint64_t(quantity));
        count++;
    }
    void endSide() {
        mix(count);
        count = 0;
    }
};
