// RapidJSON, events instead of a tree, in place in a buffer that is allocated once.

#define RAPIDJSON_SSE42
#define RAPIDJSON_HAS_STDSTRING 1
#include <rapidjson/rapidjson.h>
#include <rapidjson/reader.h>

#include "serve.hpp"

struct RapidjsonParser {
    std::vector<char> buffer;
    rapidjson::Reader reader;

    explicit RapidjsonParser(const Feed& feed) : buffer(feed.longest + 64) {}

    static std::string name() { return std::string("RapidJSON ") + RAPIDJSON_VERSION_STRING; }

    template <class Sink> void parse(std::string_view message, Sink sink) {
        memcpy(buffer.data(), message.data(), message.size());
        buffer[message.size()] = 0;
        rapidjson::InsituStringStream stream(buffer.data());
        Handler<Sink> handler{sink};
        reader.Parse<rapidjson::kParseInsituFlag>(stream, handler);
        if (reader.HasParseError()) {
            fprintf(stderr, "RapidJSON: a message that is none\n");
            exit(1);
        }
        ids += handler.ids;
    }

private:
    uint64_t ids = 0;

    template <class Sink>
    struct Handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler<Sink>> {
        Sink& sink;
        bool isBid = false;
        int depth = 0;
        int part = 0;
        int64_t price = 0;
        bool isID = false;
        uint64_t ids = 0;

        explicit Handler(Sink& sink) : sink(sink) {}

        bool Key(const char* text, rapidjson::SizeType length, bool) {
            isBid = length ? text[0] == 'b' : false;
            isID = length == 1 && (text[0] | 32) == 'u';
            return true;
        }
        bool StartArray() {
            depth++;
            part = 0;
            return true;
        }
        bool EndArray(rapidjson::SizeType) {
            depth--;
            return true;
        }
        bool String(const char* text, rapidjson::SizeType, bool) {
            if (depth != 2) return true;
            if (part == 0) price = mantissa(text);
            else if (part == 1) sink(isBid, price, mantissa(text));
            part++;
            return true;
        }
        bool Uint(unsigned value) { return Uint64(value); }
        bool Uint64(uint64_t value) {
            if (isID) ids += value;
            return true;
        }
    };
};

int main(int argc, char** argv) { return peerMain<RapidjsonParser>(argc, argv); }
