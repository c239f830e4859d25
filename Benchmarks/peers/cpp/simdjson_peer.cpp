// simdjson On-Demand, forward only, raw strings: the fastest way it offers for this schema.

#include <simdjson.h>

#include "serve.hpp"

struct SimdjsonParser {
    simdjson::ondemand::parser parser;

    explicit SimdjsonParser(const Feed& feed) {
        if (parser.allocate(feed.longest + 64)) fail();
    }

    static std::string name() { return std::string("simdjson ") + SIMDJSON_VERSION; }

    template <class Sink> void parse(std::string_view message, Sink sink) {
        using namespace simdjson;
        ondemand::document document;
        padded_string_view padded(message.data(), message.size(), message.size() + 64);
        if (parser.iterate(padded).get(document)) return fail();
        ondemand::object object;
        if (document.get_object().get(object)) return fail();
        std::string_view bids = "b", asks = "a";
        if (message.starts_with("{\"stream\"")) {
            ondemand::object data;
            if (object.find_field("data").get_object().get(data)) return fail();
            object = data;
        } else if (message.starts_with("{\"lastUpdateId\"")) {
            bids = "bids", asks = "asks";
        }
        if (bids == "b") {
            uint64_t first, last;
            if (object.find_field("U").get(first) || object.find_field("u").get(last)) return fail();
            ids += first ^ last;
        }
        ondemand::array side;
        if (object.find_field(bids).get_array().get(side)) return fail();
        levels(side, true, sink);
        if (object.find_field(asks).get_array().get(side)) return fail();
        levels(side, false, sink);
    }

private:
    uint64_t ids = 0;

    template <class Sink> void levels(simdjson::ondemand::array side, bool isBid, Sink& sink) {
        for (auto level : side) {
            simdjson::ondemand::array pair;
            if (level.get_array().get(pair)) return fail();
            int64_t parts[2] = {0, 0};
            int at = 0;
            for (auto part : pair) {
                if (at == 2) break;
                simdjson::ondemand::raw_json_string text;
                if (part.get_raw_json_string().get(text)) return fail();
                parts[at++] = mantissa(text.raw());
            }
            sink(isBid, parts[0], parts[1]);
        }
    }

    static void fail() {
        fprintf(stderr, "simdjson: a message that is none\n");
        exit(1);
    }
};

int main(int argc, char** argv) { return peerMain<SimdjsonParser>(argc, argv); }
