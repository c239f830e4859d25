// Java's `TreeMap` behind a parser written by hand for this schema. Speaks what `cpp/serve.hpp` tells. Time
// is that of the thread and of the garbage collector, which stops it and works on another thread.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

public final class Peer {
    private final byte[] bytes;
    private final int[] starts;
    private final int count;
    private TreeMap<Long, Long> bids;
    private TreeMap<Long, Long> asks;
    private int at;
    private long ids;
    private long touched;

    private Peer(byte[] file) {
        bytes = file;
        ByteBuffer buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int[] found = new int[1024];
        int size = 0;
        for (int next = 8; buffer.getInt(next) != -1; next += 4 + buffer.getInt(next)) {
            if (size == found.length) found = Arrays.copyOf(found, 2 * size);
            found[size++] = next + 4;
        }
        starts = Arrays.copyOf(found, size);
        count = size - 1;
    }

    private byte token() {
        byte next = bytes[at++];
        while (next == ' ') next = bytes[at++];
        return next;
    }

    private void expect(int wanted) {
        if (token() != wanted) throw new IllegalStateException("a message that is none");
    }

    private long integer() {
        byte next = token();
        long value = 0;
        while (next >= '0' && next <= '9') {
            value = value * 10 + (next - '0');
            next = bytes[at++];
        }
        at--;
        return value;
    }

    /** Digits of a quoted decimal as one number, the point left out. */
    private long mantissa() {
        expect('"');
        byte[] bytes = this.bytes;
        int at = this.at;
        long value = 0;
        while (true) {
            int next = bytes[at++];
            int digit = next - '0';
            if (digit >= 0 && digit < 10) {
                value = value * 10 + digit;
            } else if (next == '"') {
                this.at = at;
                return value;
            } else if (next != '.') {
                throw new IllegalStateException("a number that is none");
            }
        }
    }

    private void skip() {
        if (token() == '"') {
            while (bytes[at++] != '"') {}
        } else {
            while (bytes[at] != ',' && bytes[at] != '}') at++;
        }
    }

    private void object() {
        expect('{');
        do {
            expect('"');
            int start = at;
            while (bytes[at] != '"') at++;
            int length = at++ - start;
            expect(':');
            byte first = bytes[start];
            if (length == 1 && first == 'b' || length == 4 && first == 'b') levels(bids);
            else if (length == 1 && first == 'a' || length == 4 && first == 'a') levels(asks);
            else if (length == 1 && (first == 'u' || first == 'U')) ids ^= integer();
            else if (length == 4 && first == 'd' && bytes[start + 1] == 'a') object();
            else skip();
        } while (token() == ',');
    }

    private void levels(TreeMap<Long, Long> side) {
        expect('[');
        if (bytes[at] == ']') {
            at++;
            return;
        }
        do {
            expect('[');
            long price = mantissa();
            expect(',');
            long quantity = mantissa();
            // Old messages have a third, empty element.
            while (token() != ']') if (bytes[at - 1] == '[') expect(']');
            if (quantity == 0) side.remove(price);
            else side.put(price, quantity);
        } while (token() == ',');
    }

    private void rewind() {
        bids = new TreeMap<>();
        asks = new TreeMap<>();
        if (bytes[starts[0]] == '{') {
            at = starts[0];
            object();
        }
        touched = 0;
    }

    private void take(int index) {
        at = starts[index + 1];
        object();
        long sum = 0;
        Map.Entry<Long, Long> bid = bids.lastEntry();
        Map.Entry<Long, Long> ask = asks.firstEntry();
        if (bid != null) sum = bid.getKey() + bid.getValue();
        if (ask != null) sum += 3 * ask.getKey() - ask.getValue();
        touched += sum;
    }

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final List<GarbageCollectorMXBean> COLLECTORS =
            ManagementFactory.getGarbageCollectorMXBeans();

    private static long nowNs() {
        long collectedMs = 0;
        for (GarbageCollectorMXBean collector : COLLECTORS) collectedMs += collector.getCollectionTime();
        return THREADS.getCurrentThreadCpuTime() + 1_000_000 * collectedMs;
    }

    private long pass() {
        long start = nowNs();
        for (int index = 0; index < count; index++) take(index);
        return nowNs() - start;
    }

    private long digest;

    private void mix(long x) {
        digest = (digest ^ x) * 0x9E3779B97F4A7C15L;
        digest ^= digest >>> 32;
    }

    private String check() {
        rewind();
        pass();
        digest = 0x6C6F62626F6F6B31L;
        bids.descendingMap().forEach((price, quantity) -> { mix(price); mix(quantity); });
        mix(bids.size());
        asks.forEach((price, quantity) -> { mix(price); mix(quantity); });
        mix(asks.size());
        return String.format("%016x %016x", digest, touched);
    }

    private String latency() {
        long cost = Long.MAX_VALUE;
        for (int i = 0; i < 10_000; i++) {
            long before = System.nanoTime();
            cost = Math.min(cost, System.nanoTime() - before);
        }
        rewind();
        long[] samples = new long[count];
        for (int index = 0; index < count; index++) {
            long start = System.nanoTime();
            take(index);
            samples[index] = Math.max(System.nanoTime() - start - cost, 0);
        }
        Arrays.sort(samples);
        int p99 = (int) (0.99 * (count - 1));
        return samples[(count - 1) / 2] + " " + samples[p99] + " " + samples[count - 1];
    }

    public static void main(String[] arguments) throws Exception {
        Peer peer = new Peer(Files.readAllBytes(Path.of(arguments[0])));
        long clockCost = Long.MAX_VALUE;
        for (int i = 0; i < 10_000; i++) {
            long before = nowNs();
            clockCost = Math.min(clockCost, nowNs() - before);
        }
        // The compiler, which has a thread of its own, has done its work behind this.
        long warm = System.nanoTime() + 3_000_000_000L;
        while (System.nanoTime() < warm || THREADS.getCurrentThreadCpuTime() < 1_500_000_000L) {
            peer.rewind();
            peer.pass();
        }
        System.out.println("ready Java " + Runtime.version());
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            if (line.equals("check")) {
                System.out.println(peer.check());
            } else if (line.startsWith("pass ")) {
                long sum = 0;
                for (int left = Integer.parseInt(line.substring(5)); left > 0; left--) {
                    peer.rewind();
                    sum += peer.pass() - clockCost;
                }
                System.out.println(sum);
            } else if (line.equals("latency")) {
                System.out.println(peer.latency());
            } else {
                System.exit(64);
            }
        }
    }
}
