// An authority and certificates of one test run, made by the openssl command; nothing of it is in the
// repository, and nothing of it is valid for longer than a test.

import Foundation

private let certificateFolder = FileManager.default.temporaryDirectory.path + "/certificates-\(getpid())"

/// PEM files: an authority, and certificates for every way to be wrong.
public struct CertificateFiles: Sendable {
    /// A certificate and its private key.
    public struct Pair: Sendable {
        /// Path of the certificate.
        public let certificate: String
        /// Path of the key.
        public let key: String
    }

    /// Those of this process.
    public static let shared = try! CertificateFiles()

    /// Path of the authority that signed all but `selfSigned`.
    public let authority: String
    /// For `localhost` and 127.0.0.1.
    public let good: Pair
    /// For another host.
    public let otherHost: Pair
    /// For `localhost` and 127.0.0.1, but over since yesterday.
    public let expired: Pair
    /// For `localhost`, signed by nobody.
    public let selfSigned: Pair

    private init() throws {
        let folder = certificateFolder
        // Whichever test was the last.
        atexit { try? FileManager.default.removeItem(atPath: certificateFolder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = """
            cd '\(folder)'
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            openssl req -x509 $new -keyout ca.key -out ca.pem -days 2 -subj '/CN=test authority'
            openssl req -x509 $new -keyout self.key -out self.pem -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost
            openssl req $new -keyout host.key -out host.csr -subj /CN=host
            echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' > local.ext
            echo 'subjectAltName=DNS:elsewhere.example' > other.ext
            sign="openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key -CAcreateserial"
            $sign -days 2 -extfile local.ext -out good.pem
            $sign -days 2 -extfile other.ext -out other.pem
            $sign -days -1 -extfile local.ext -out expired.pem
            """
        precondition(CertificateFiles.run("(\n\(script)\n) >/dev/null 2>&1") == 0, "openssl failed")
        authority = folder + "/ca.pem"
        func pair(_ name: String, _ key: String = "host") -> Pair {
            Pair(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(key).key")
        }
        (good, otherHost) = (pair("good"), pair("other"))
        (expired, selfSigned) = (pair("expired"), pair("self", "self"))
    }

    /// Runs a script to its end; its status. Not by Foundation's `Process`, which leaks.
    private static func run(_ script: String) -> Int32 {
        let texts: [String] = ["/bin/sh", "-ec", script]
        let words = texts.map { strdup($0) }
        defer { words.forEach { free($0) } }
        var child: pid_t = 0
        guard posix_spawn(&child, "/bin/sh", nil, nil, words + [nil], environ) == 0 else { return -1 }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { if errno != EINTR { return -1 } }
        return status
    }
}
