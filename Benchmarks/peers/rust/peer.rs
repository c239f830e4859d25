//! Rust's `BTreeMap` behind a parser written by hand for this schema; no crate. Speaks what `cpp/serve.hpp`
//! tells.

use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut TimeSpec) -> i32;
}

fn cpu_ns() -> u64 {
    let mut time = TimeSpec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(3, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

fn ticks() -> u64 {
    unsafe {
        _mm_lfence();
        let now = _rdtsc();
        _mm_lfence();
        now
    }
}

fn least(clock: fn() -> u64) -> u64 {
    (0..10_000).map(|_| { let before = clock(); clock() - before }).min().unwrap()
}

/// A message that is none.
struct Malformed;

/// Reads forward; every access is within the bounds of the message.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    fn peek(&self) -> Result<u8, Malformed> {
        self.bytes.get(self.at).copied().ok_or(Malformed)
    }

    #[inline(always)]
    fn next(&mut self) -> Result<u8, Malformed> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte that is no blank, which REST bodies may have.
    #[inline(always)]
    fn token(&mut self) -> Result<u8, Malformed> {
        loop {
            let byte = self.next()?;
            if byte != b' ' {
                return Ok(byte);
            }
        }
    }

    #[inline(always)]
    fn expect(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.token()? == wanted { Ok(()) } else { Err(Malformed) }
    }

    /// What stands between the quotes behind an opening one.
    #[inline(always)]
    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        while self.next()? != b'"' {}
        Ok(&self.bytes[start..self.at - 1])
    }

    #[inline(always)]
    fn integer(&mut self) -> Result<u64, Malformed> {
        let mut byte = self.token()?;
        if !byte.is_ascii_digit() {
            return Err(Malformed);
        }
        let mut value = 0u64;
        while byte.is_ascii_digit() {
            value = value.wrapping_mul(10).wrapping_add((byte - b'0') as u64);
            byte = self.next()?;
        }
        self.at -= 1;
        Ok(value)
    }

    /// Digits of a quoted decimal as one number, the point left out.
    #[inline(always)]
    fn mantissa(&mut self) -> Result<i64, Malformed> {
        self.expect(b'"')?;
        let mut value = 0i64;
        loop {
            let byte = self.next()?;
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                value = value.wrapping_mul(10).wrapping_add(digit as i64);
            } else if byte == b'"' {
                return Ok(value);
            } else if byte != b'.' {
                return Err(Malformed);
            }
        }
    }

    /// A value that nobody reads.
    fn skip(&mut self) -> Result<(), Malformed> {
        let first = self.token()?;
        if first == b'"' {
            self.text()?;
            return Ok(());
        }
        while !matches!(self.peek()?, b',' | b'}') {
            self.at += 1;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Book {
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    ids: u64,
}

impl Book {
    fn parse(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let mut cursor = Cursor { bytes, at: 0 };
        self.object(&mut cursor)
    }

    fn object(&mut self, cursor: &mut Cursor) -> Result<(), Malformed> {
        cursor.expect(b'{')?;
        loop {
            cursor.expect(b'"')?;
            let key = cursor.text()?;
            cursor.expect(b':')?;
            match key {
                b"data" => self.object(cursor)?,
                b"u" | b"U" => self.ids ^= cursor.integer()?,
                b"b" | b"bids" => Book::levels(&mut self.bids, cursor)?,
                b"a" | b"asks" => Book::levels(&mut self.asks, cursor)?,
                _ => cursor.skip()?,
            }
            match cursor.token()? {
                b',' => continue,
                b'}' => return Ok(()),
                _ => return Err(Malformed),
            }
        }
    }

    #[inline(always)]
    fn levels(side: &mut BTreeMap<i64, i64>, cursor: &mut Cursor) -> Result<(), Malformed> {
        cursor.expect(b'[')?;
        if cursor.peek()? == b']' {
            cursor.at += 1;
            return Ok(());
        }
        loop {
            cursor.expect(b'[')?;
            let price = cursor.mantissa()?;
            cursor.expect(b',')?;
            let quantity = cursor.mantissa()?;
            while cursor.token()? != b']' {
                // Old messages have a third, empty element.
                if cursor.bytes[cursor.at - 1] == b'[' {
                    cursor.expect(b']')?;
                }
            }
            if quantity == 0 {
                side.remove(&price);
            } else {
                side.insert(price, quantity);
            }
            match cursor.token()? {
                b',' => continue,
                b']' => return Ok(()),
                _ => return Err(Malformed),
            }
        }
    }

    #[inline(always)]
    fn touch(&self) -> u64 {
        let mut sum = 0i64;
        if let Some((price, quantity)) = self.bids.last_key_value() {
            sum = price.wrapping_add(*quantity);
        }
        if let Some((price, quantity)) = self.asks.first_key_value() {
            sum = sum.wrapping_add(3 * price).wrapping_sub(*quantity);
        }
        sum as u64
    }

    fn digest(&self) -> u64 {
        let mut value = 0x6C6F_6262_6F6F_6B31u64;
        let mut mix = |x: u64| {
            value = (value ^ x).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            value ^= value >> 32;
        };
        for (price, quantity) in self.bids.iter().rev() {
            mix(*price as u64);
            mix(*quantity as u64);
        }
        mix(self.bids.len() as u64);
        for (price, quantity) in &self.asks {
            mix(*price as u64);
            mix(*quantity as u64);
        }
        mix(self.asks.len() as u64);
        value
    }
}

struct Contender<'a> {
    body: &'a [u8],
    messages: Vec<&'a [u8]>,
    book: Book,
    touched: u64,
}

impl Contender<'_> {
    fn rewind(&mut self) {
        self.book = Book::default();
        if !self.body.is_empty() && self.book.parse(self.body).is_err() {
            fail("the REST body");
        }
        self.touched = 0;
    }

    #[inline(always)]
    fn take(&mut self, index: usize) {
        if self.book.parse(self.messages[index]).is_err() {
            fail("a message");
        }
        self.touched = self.touched.wrapping_add(self.book.touch());
    }

    #[inline(never)]
    fn pass(&mut self) -> u64 {
        let start = cpu_ns();
        for index in 0..self.messages.len() {
            self.take(index);
        }
        cpu_ns() - start
    }

    fn latency(&mut self, ns_per_tick: f64, cost: u64) -> String {
        self.rewind();
        let mut samples = Vec::with_capacity(self.messages.len());
        for index in 0..self.messages.len() {
            let start = ticks();
            self.take(index);
            samples.push((ticks() - start).saturating_sub(cost));
        }
        samples.sort_unstable();
        let at = |q: f64| samples[(q * (samples.len() - 1) as f64) as usize] as f64 * ns_per_tick;
        format!("{:.1} {:.1} {:.1}", at(0.5), at(0.99), at(1.0))
    }
}

fn fail(what: &str) -> ! {
    eprintln!("rust: {what} cannot be read");
    std::process::exit(1)
}

fn main() {
    let path = std::env::args().nth(1).unwrap_or_default();
    let file = std::fs::read(path).unwrap_or_else(|_| fail("the file"));
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut at = 8;
    loop {
        let length = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        at += 4;
        if length == u32::MAX {
            break;
        }
        parts.push(&file[at..at + length as usize]);
        at += length as usize;
    }
    let messages = parts.split_off(1);
    let mut contender = Contender { body: parts[0], messages, book: Book::default(), touched: 0 };
    let (cpu_cost, tick_cost) = (least(cpu_ns), least(ticks));
    let (start_ticks, start) = (ticks(), Instant::now());
    let mut output = std::io::stdout();
    let mut say = |line: String| {
        writeln!(output, "{line}").unwrap();
        output.flush().unwrap();
    };
    say("ready Rust".to_string());
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some(("pass", count)) => {
                let count: u64 = count.parse().unwrap();
                let mut sum = 0;
                for _ in 0..count {
                    contender.rewind();
                    sum += contender.pass() - cpu_cost;
                }
                say(sum.to_string());
            }
            _ if line == "check" => {
                contender.rewind();
                contender.pass();
                say(format!("{:016x} {:016x}", contender.book.digest(), contender.touched));
            }
            _ if line == "latency" => {
                let ns = start.elapsed().as_nanos() as f64 / (ticks() - start_ticks) as f64;
                say(contender.latency(ns, tick_cost));
            }
            _ => fail("the command"),
        }
    }
}
