// yyjson, a tree in a pool that is allocated once.

#include <yyjson.h>

#include "serve.hpp"

struct YyjsonParser {
    std::vector<char> memory;
    yyjson_alc pool{};

    explicit YyjsonParser(const Feed& feed) : memory(yyjson_read_max_memory_usage(feed.longest, 0) + 4096) {
        yyjson_alc_pool_init(&pool, memory.data(), memory.size());
    }

    static std::string name() { return std::string("yyjson ") + YYJSON_VERSION_STRING; }

    template <class Sink> void parse(std::string_view message, Sink sink) {
        yyjson_doc* document =
            yyjson_read_opts(const_cast<char*>(message.data()), message.size(), 0, &pool, nullptr);
        if (!document) fail();
        yyjson_val* object = yyjson_doc_get_root(document);
        if (yyjson_val* data = yyjson_obj_get(object, "data")) object = data;
        yyjson_val *bids = nullptr, *asks = nullptr, *key;
        yyjson_obj_iter fields = yyjson_obj_iter_with(object);
        while ((key = yyjson_obj_iter_next(&fields))) {
            const char* name = yyjson_get_str(key);
            yyjson_val* value = yyjson_obj_iter_get_val(key);
            if (!strcmp(name, "b") || !strcmp(name, "bids")) bids = value;
            else if (!strcmp(name, "a") || !strcmp(name, "asks")) asks = value;
            else if (!strcmp(name, "U") || !strcmp(name, "u")) ids += yyjson_get_uint(value);
        }
        if (!bids || !asks) fail();
        levels(bids, true, sink);
        levels(asks, false, sink);
        yyjson_doc_free(document);
    }

private:
    uint64_t ids = 0;

    template <class Sink> void levels(yyjson_val* side, bool isBid, Sink& sink) {
        yyjson_val* level;
        yyjson_arr_iter each = yyjson_arr_iter_with(side);
        while ((level = yyjson_arr_iter_next(&each))) {
            yyjson_val* price = yyjson_arr_get_first(level);
            if (!price) fail();
            yyjson_val* quantity = unsafe_yyjson_get_next(price);
            sink(isBid, mantissa(yyjson_get_str(price)), mantissa(yyjson_get_str(quantity)));
        }
    }

    [[noreturn]] static void fail() {
        fprintf(stderr, "yyjson: a message that is none\n");
        exit(1);
    }
};

int main(int argc, char** argv) { return peerMain<YyjsonParser>(argc, argv); }
