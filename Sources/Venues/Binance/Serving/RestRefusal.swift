// REST refusals, in the venue's exact words.
//
//     status  code   when                                             costs
//     ------|------|------------------------------------------------|----------------------------
//     400    -1100  a value has characters it may not have           1
//     400    -1102  a mandatory parameter is missing or empty        1
//     400    -1104  spot: a parameter that nobody reads              1
//     400    -1121  no such symbol                                   1, or as an answer if the
//                                                                    symbol could be one
//     400    -1122  spot: a status that no request may name          1
//     400    -1128  `symbol` and `symbols`, or `pair`, together      1
//     400    -1220  spot: the symbol has another status              as an answer
//     400    -4021  a depth limit that the market does not have      as an answer
//     404    -5000  no such path                                     0
//     401    -2015  no token, or a wrong one                         1
//     429    -1003  the weight of the minute is used up
//     418    -1003  the address is banned
//     500    -1000  something failed
//     503    -1001  a book that may not be shown now                1
//     503    -1008  overloaded
//     504    -1007  no answer from behind

import BinanceVenue

/// A refused REST request, in the venue's words.
package struct RestRefusal: Error, Hashable, Sendable {
    /// HTTP status.
    package var status: Int
    /// The venue's code.
    package var code: Int
    /// The venue's text.
    package var message: String
    /// Weight charged for the refused request.
    package var weight: Int

    /// A refusal.
    init(_ status: Int, _ code: Int, _ message: String, weight: Int = 1) {
        (self.status, self.code, self.message, self.weight) = (status, code, message, weight)
    }

    /// The body; empty if the message takes megabytes.
    package var body: [UInt8] {
        var encoder = MessageEncoder(.classic(.spot), capacity: 256)
        var bytes: [UInt8] = []
        // The shape is the same on all markets.
        guard (try? encoder.append(errorCode: code, message: message)) != nil else { return bytes }
        encoder.append(to: &bytes)
        return bytes
    }
}

extension RestRefusal {
    /// No such symbol.
    package static let badSymbol = RestRefusal(400, -1121, "Invalid symbol.")

    /// The symbol has another status than the one asked for.
    package static let otherStatus = RestRefusal(
        400, -1220, "The symbol's status does not match the requested symbolStatus.")

    static let badStatus = RestRefusal(400, -1122, "Invalid symbolStatus.")

    /// There is no book for a listed symbol.
    package static let noBook = RestRefusal(
        503, -1008, "Server is currently overloaded with other requests.")

    /// Something failed.
    package static let failure = RestRefusal(500, -1000, "An unknown error occurred.")

    /// The component behind the server did not answer in time.
    package static let timeout = RestRefusal(
        504, -1007, "Timeout waiting for response from backend server.")

    /// There is a book for this symbol, but it must not be shown now.
    ///
    /// - Parameter why: its state, in a few words.
    package static func notServed(_ why: String) -> RestRefusal {
        RestRefusal(
            503, -1001, "Internal error; unable to process your request. Please try again. (\(why))")
    }

    /// The weight of the minute is used up.
    package static let tooManyRequests = RestRefusal(429, -1003, "Too many requests.")

    /// Too many answers are waiting for slow readers.
    package static let overloaded = noBook

    /// The request carries none of the accepted tokens.
    package static let stranger = RestRefusal(
        401, -2015, "Invalid API-key, IP, or permissions for action.")

    /// The address is banned until a time in milliseconds since 1970.
    package static func banned(untilMs: Int64) -> RestRefusal {
        RestRefusal(418, -1003, "Way too many requests; IP banned until \(untilMs).")
    }

    static func missing(_ name: String) -> RestRefusal {
        RestRefusal(
            400, -1102, "Mandatory parameter '\(name)' was not sent, was empty/null, or malformed.")
    }

    static func illegal(_ name: String, legal: String) -> RestRefusal {
        RestRefusal(
            400, -1100, "Illegal characters found in parameter '\(name)'; legal range is '\(legal)'.")
    }

    static func unread(readCount: Int, of sentCount: Int) -> RestRefusal {
        RestRefusal(
            400, -1104,
            "Not all sent parameters were read; read '\(readCount)' parameter(s) but was sent "
                + "'\(sentCount)'.")
    }

    static let badCombination = RestRefusal(400, -1128, "Combination of optional parameters invalid.")

    static func badLimit(_ limit: Int, weight: Int) -> RestRefusal {
        RestRefusal(400, -4021, "\(limit) is not valid depth limit", weight: weight)
    }

    static func unknownPath(_ path: String, method: String) -> RestRefusal {
        RestRefusal(404, -5000, "Path \(path), Method \(method) is invalid", weight: 0)
    }
}
