// The dashboard's files, and the other files embedded in the executable.
//
// SAFETY: the bytes are constants of the executable, and are copied.

import CLobPages
import LobTransport

/// A file of the dashboard, with the path it is served at.
enum Page: String, CaseIterable {
    case index = "/"
    case style = "/page/style.css"
    case app = "/page/app.js"
    case feed = "/page/feed.js"
    case format = "/page/format.js"
    case table = "/page/table.js"
    case book = "/page/book.js"
    case heatmap = "/page/heatmap.js"
    case panels = "/page/panels.js"
    case icon = "/page/icon.svg"

    /// The file under a path; nil if there is none.
    init?(path: String) { self.init(rawValue: path) }

    private var file: lob_file {
        switch self {
        case .index: LOB_FILE_INDEX
        case .style: LOB_FILE_STYLE
        case .app: LOB_FILE_APP
        case .feed: LOB_FILE_FEED
        case .format: LOB_FILE_FORMAT
        case .table: LOB_FILE_TABLE
        case .book: LOB_FILE_BOOK
        case .heatmap: LOB_FILE_HEATMAP
        case .panels: LOB_FILE_PANELS
        case .icon: LOB_FILE_ICON
        }
    }

    private var contentType: String {
        switch self {
        case .index: "text/html; charset=utf-8"
        case .style: "text/css; charset=utf-8"
        case .icon: "image/svg+xml"
        case .app, .feed, .format, .table, .book, .heatmap, .panels: "text/javascript; charset=utf-8"
        }
    }

    /// The answer. It may load nothing from elsewhere and must not be framed by other pages.
    var response: HTTPResponse {
        let headers =
            APIProblem.headers + [
                ("Content-Security-Policy", Page.policy), ("X-Frame-Options", "DENY"),
                ("Cross-Origin-Opener-Policy", "same-origin"),
                ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
            ]
        return HTTPResponse(
            contentType: contentType, headers: headers.compactMap { HTTPHeader($0.0, $0.1) },
            body: Page.bytes(file))
    }

    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private static func bytes(_ file: lob_file) -> [UInt8] {
        var length = 0
        let base = unsafe lob_file_bytes(file, &length)
        return unsafe Array(UnsafeBufferPointer(start: base, count: length))
    }

    /// The OpenAPI document of the server's own requests.
    static var document: [UInt8] { bytes(LOB_FILE_OPENAPI) }
    /// A Grafana dashboard over `/metrics`.
    static var grafanaDashboard: [UInt8] { bytes(LOB_FILE_DASHBOARD) }
    /// Alert rules for Prometheus.
    static var alertRules: [UInt8] { bytes(LOB_FILE_ALERTS) }
}

extension BookServer {
    /// A Grafana dashboard over `/metrics`, as JSON for import.
    package static var grafanaDashboard: String { String(decoding: Page.grafanaDashboard, as: UTF8.self) }

    /// Alert rules over `/metrics` for Prometheus, as YAML.
    package static var alertRules: String { String(decoding: Page.alertRules, as: UTF8.self) }
}
