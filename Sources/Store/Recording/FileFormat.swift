// Formats other than lines of text, recognised by their first bytes, and what to do about them.

/// An unsupported format.
struct FileFormat: Equatable {
    /// Its name.
    let name: String
    /// How to make it readable; `FILE` stands for the file.
    let advice: String

    /// Number of bytes that suffice to tell.
    static let headBytes = 512

    private static func unpack(_ command: String) -> String { "unpack it: \(command) FILE | lob replay -" }

    private static let convert = "convert it to lines of JSON, one message each"

    /// Formats by their first bytes.
    private static let magics: [(bytes: [UInt8], name: String, advice: String)] = [
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xz data", unpack("xz -dc")),
        (Array("BZh".utf8), "bzip2 data", unpack("bzip2 -dc")),
        (Array("PK\u{3}\u{4}".utf8), "a zip archive", unpack("unzip -p")),
        (Array("PK\u{5}\u{6}".utf8), "an empty zip archive", convert),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", unpack("7z x -so")),
        (Array("Rar!\u{1A}\u{7}".utf8), "a rar archive", unpack("unrar p -inul")),
        ([0x04, 0x22, 0x4D, 0x18], "lz4 data", unpack("lz4 -dc")),
        ([0x02, 0x21, 0x4C, 0x18], "lz4 data", unpack("lz4 -dc")),
        (Array("LZIP".utf8), "lzip data", unpack("lzip -dc")),
        ([0x5D, 0x00, 0x00], "lzma data", unpack("lzma -dc")),
        ([0x1F, 0x9D], "data of compress", unpack("uncompress -c")),
        ([0x89, 0x4C, 0x5A, 0x4F], "lzop data", unpack("lzop -dc")),
        ([0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50], "snappy data", unpack("snzip -dc")),
        (Array("PAR1".utf8), "a Parquet file", convert),
        (Array("ARROW1".utf8), "an Arrow file", convert),
        (Array("FEA1".utf8), "a Feather file", convert),
        (Array("ORC".utf8), "an ORC file", convert),
        (Array("Obj\u{1}".utf8), "an Avro file", convert),
        ([0x89, 0x48, 0x44, 0x46], "an HDF5 file", convert),
        (Array("SQLite format 3".utf8), "an SQLite database", convert),
        ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], "a NumPy array", convert),
        ([0x0A, 0x0D, 0x0D, 0x0A], "a packet capture (pcapng)", "convert it: editcap -F nsecpcap FILE OUT"),
        (Array("%PDF".utf8), "a PDF document", convert), ([0x7F, 0x45, 0x4C, 0x46], "a program", convert),
        ([0x80, 0x02], "a Python pickle", convert), ([0x80, 0x03], "a Python pickle", convert),
        ([0x80, 0x04, 0x95], "a Python pickle", convert), ([0x80, 0x05, 0x95], "a Python pickle", convert),
        (
            [0xFF, 0xFE, 0x00, 0x00], "UTF-32 text",
            "convert it: iconv -f UTF-32 -t UTF-8 FILE | lob replay -"
        ),
        (
            [0x00, 0x00, 0xFE, 0xFF], "UTF-32 text",
            "convert it: iconv -f UTF-32 -t UTF-8 FILE | lob replay -"
        ),
        ([0xFF, 0xFE], "UTF-16 text", utf16("UTF-16")), ([0xFE, 0xFF], "UTF-16 text", utf16("UTF-16")),
    ]

    private static func utf16(_ name: String) -> String {
        "convert it: iconv -f \(name) -t UTF-8 FILE | lob replay -"
    }

    /// The format shown by a file's first bytes; nil if it may be text.
    ///
    /// - Parameter name: the file's name, which distinguishes a ZIP archive from a NumPy one.
    init?(head: [UInt8], name: String) {
        if let found = FileFormat.magics.first(where: { head.starts(with: $0.bytes) }) {
            let isNumPy = name.hasSuffix(".npz") && head.starts(with: Array("PK".utf8))
            self.name = isNumPy ? "a NumPy archive (npz)" : found.name
            advice = isNumPy ? FileFormat.convert : found.advice
            return
        }
        if head.count > 261, head[257...].starts(with: Array("ustar".utf8)) {
            self.name = "a tar archive"
            advice = FileFormat.unpack("tar -xOf")
            return
        }
        if head.count > 12, head[8...].starts(with: Array("DUCK".utf8)) {
            self.name = "a DuckDB database"
            advice = FileFormat.convert
            return
        }
        guard let zero = head.firstIndex(of: 0) else { return nil }
        let isWide = zero < 2 && head.count > 3 && head[zero ^ 1] != 0 && head[zero | 2] == 0
        self.name = isWide ? "UTF-16 text" : "binary data"
        advice =
            isWide
            ? FileFormat.utf16(zero == 1 ? "UTF-16LE" : "UTF-16BE")
            : "lob reads lines of JSON and its own recordings"
    }

    /// Whether these are the first bytes of a zstd frame or a skippable frame, which is decompressed here.
    static func isZstd(_ head: [UInt8]) -> Bool {
        guard head.count >= 4 else { return false }
        if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return true }
        return head[0] & 0xF0 == 0x50 && head[1...].starts(with: [0x2A, 0x4D, 0x18])
    }
}
