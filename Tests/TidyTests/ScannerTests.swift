import Testing

/// The scanners behind the rules, on samples whose answer is plain to see.
@Suite struct ScannerTests {
    private func functions(_ text: String) -> [FunctionSpan] {
        let scanner = FunctionScanner(swift: Array(text.utf8))
        #expect(scanner.isBalanced)
        return scanner.functions
    }

    private func span(_ name: String, _ first: Int, _ last: Int) -> FunctionSpan {
        FunctionSpan(name: name, first: first, last: last)
    }

    @Test func functionsAndInitialisers() {
        let text = """
            struct A {
                func one() { }
                init?(_ text: String) {
                    self.init(x: 1)
                }
                deinit { free() }
                static func + (a: A, b: A) -> A {
                    A.init()
                }
                subscript(index: Int) -> Int {
                    1
                }
            }
            """
        #expect(
            functions(text) == [
                span("one", 2, 2), span("init", 3, 5), span("deinit", 6, 6), span("+", 7, 9),
                span("subscript", 10, 12),
            ])
    }

    @Test func nestedFunctionsAndClosures() {
        let text = """
            func outer(_ body: (Int) -> Void = { _ in }) {
                let f = { x in
                    x + 1
                }
                func inner() {
                    if true { f(1) }
                }
            }
            """
        #expect(functions(text) == [span("inner", 5, 7), span("outer", 1, 8)])
    }

    @Test func accessorsAndProperties() {
        let text = """
            var stored = 5
            var started: [Int] = [1].map { $0 }
            var short: Int { 1 }
            var long: Int {
                get {
                    1
                }
                set(new) {
                    other.set(new)
                }
            }
            var watched = 1 {
                didSet { print(1) }
            }
            """
        #expect(
            functions(text) == [
                span("short", 3, 3), span("get", 5, 7), span("set", 8, 10), span("long", 4, 11),
                span("didSet", 13, 13),
            ])
    }

    @Test func requirementsHaveNoBody() {
        let text = """
            protocol P: ~Copyable {
                func a()
                var b: Int { get set }
                init(c: Int)
            }
            struct S {
                func d() throws(E) -> (Int, [Int])
                where T: P {
                }
            }
            """
        // `{ get set }` reads as the body of a property; it is one line.
        #expect(functions(text) == [span("b", 3, 3), span("d", 7, 9)])
    }

    @Test func bracesInStringsAndCommentsDoNotCount() {
        let quotes = "\"\"\""
        let text = """
            func a() { // }
                let s = "}" + #"}"}"# + "\\(b { "}" })}" + "\\"}"
                /* } /* } */ } */
                let t = \(quotes)
                    } func c() { "}"
                    \(quotes)
                let u = #/"}/#
            }
            func b() {}
            """
        #expect(functions(text) == [span("a", 1, 8), span("b", 9, 9)])
    }

    @Test func brokenTextIsNoticed() {
        for text in ["func a() { ", "func a() }", "func a( { } )(", "[(])"] {
            #expect(!FunctionScanner(swift: Array(text.utf8)).isBalanced)
        }
    }

    @Test func functionsOfC() {
        let text = """
            #define BODY(X) \\
                for (;;) { X }
            static struct { int (*f)(int); } chosen = {g};
            typedef struct { int a; } point;
            int declared(int x);
            __attribute__((target("avx2"))) static int plus(int a,
                                                            int b) {
                if (a == '{') { return b; }
                return a + b;
            }
            """
        let scanner = FunctionScanner(c: Array(text.utf8))
        #expect(scanner.isBalanced)
        #expect(scanner.functions.map(\.last) == [10] && scanner.functions.map(\.first) == [6])
    }

    @Test func imports() {
        let text = """
            import A
            @testable import B
            public import struct C.D
            // import E
            let s = "import F"
            let important = G
            """
        let found = SourceFile(path: "Sources/T/f.swift", bytes: Array(text.utf8)).imports()
        #expect(found.map(\.module) == ["A", "B", "C"])
        #expect(found.map(\.line) == [1, 2, 3])
    }

    @Test func codeInComments() {
        let code = [
            " if x {", "}", " let x = 5", "  var y: Int = 5", " return_code = f(x);", " f(x);",
            "func a() -> Int",
            " import Foundation", " guard let x else { return }", " levels[j] = 0;",
        ]
        for comment in code { #expect(looksLikeCode(comment), "\(comment)") }
        let prose = [
            "", " Why gaps: a dense array pays a move;", " h = mix(h, number of levels)", " let it be",
            " for each side, bids then asks:", " {\"e\":\"depthUpdate\"}", " one of {a, b}",
            " `integrity()`);",
            "     decimal = integer [ \".\" 1*DIGIT ]", " O(1) per level; worst case below;",
            " import of a day",
            " a function that sets (and clears);", " var is a keyword", "     while running {",
        ]
        for comment in prose { #expect(!looksLikeCode(comment), "\(comment)") }
    }

    @Test func plainComments() {
        let quotes = "\"\"\""
        let text = """
            // one
            let x = 1  // behind code
            /// documentation
                //two
            let s = \(quotes)
                // inside a string
                \(quotes)
            """
        let file = SourceFile(path: "f.swift", bytes: Array(text.utf8))
        #expect(file.plainComments().map(\.text) == [" one", "two"])
        #expect(file.plainComments().map(\.line) == [1, 4])
    }

    @Test func tablesInComments() {
        let text = """
            // | a | b |
            // | - | - |
            // | 1 | 2
            // 3 |
            //
            // a    b
            //     c    d
            // ```
            // e    f
            // ```
            """
        let file = SourceFile(path: "f.swift", bytes: Array(text.utf8))
        let lines = file.commentLines(TextClasses(file.bytes).classes)
        #expect(lines.count == 10)
        #expect(brokenTables(lines).map(\.line) == [3, 4, 6])
    }

    @Test func manifests() {
        let text = """
            targets: [
                .target(name: "A", dependencies: ["B"]),
                .executableTarget(
                    name: "bench", dependencies: [.target(name: "A")], path: "Benchmarks/bench"),
                .testTarget(name: "ATests"),
            ]
            """
        #expect(
            targetFolders(of: text).map { "\($0.name) \($0.folder)" }
                == ["A Sources/A", "bench Benchmarks/bench", "ATests Tests/ATests"])
    }
}
