// One short frame of every kind, in the shapes of the three markets.

import BinanceVenue
import MarketData

/// A frame, where it came from, and what it is.
struct SampleFrame: CustomStringConvertible, Sendable {
    let name: String
    let market: Market
    let kind: MessageKind
    let text: String

    init(_ name: String, _ market: Market, _ kind: MessageKind, _ text: String) {
        self.name = name
        self.market = market
        self.kind = kind
        self.text = text
    }

    var description: String { name }
    var bytes: [UInt8] { Array(text.utf8) }

    private static let bids =
        #"[["61803.40","0.012"],["61803.30","1.500"],["61802.90","0"],["9999.00","12.345"]]"#
    private static let asks =
        #"[["61803.50","0.000"],["61804.00","7.001"],["61805.10","0.250"],["100000.00","3.000"]]"#
    private static let ids = #""U":157,"u":160,"pu":149,"#

    /// All of them.
    static let all: [SampleFrame] = updates + states + tickers + replies

    static let updates: [SampleFrame] = [
        SampleFrame(
            "spot diff", .spot, .depthUpdate,
            #"{"e":"depthUpdate","E":1722988800123,"s":"BTCUSDT","U":157,"u":160,"b":"# + bids + #","a":"#
                + asks + "}"),
        SampleFrame(
            "spot diff of 2017, combined", .spot, .depthUpdate,
            #"{"stream":"ethbtc@depth","data":{"e":"depthUpdate","E":1508460865901,"s":"ETHBTC","#
                + #""U":157,"u":160,"#
                + #""b":[["0.05383600","0.00000000",[]],["0.05382000","10.10900000",[]]],"a":[]}}"#),
        SampleFrame(
            "USD-M diff", .usdm, .depthUpdate,
            #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1722988800123,"T":1722988800120,"#
                + #""s":"BTCUSDT","ps":"BTCUSDT","# + ids + #""b":"# + bids + #","a":"# + asks + #","st":1}}"#
        ),
        SampleFrame(
            "COIN-M diff", .coinm, .depthUpdate,
            #"{"e":"depthUpdate","E":1722988800123456,"T":1722988800120999,"s":"BTCUSD_PERP","ps":"BTCUSD","#
                + ids
                + #""b":[["35943.8","120"],["35943.7","0"]],"a":[["35944.1","8888"]]}"#),
        SampleFrame(
            "USD-M diff, blanks and another order", .usdm, .depthUpdate,
            #" {"x" : [1, {"y":null}], "b":[ ["1.5" , "2" ,[ ] ] ],"a" : [] , "s":"Aß""#
                + #","pu":1, "u":3,"U" :2, "E": 5, "e" : "depthUpdate" } "# + "\n"),
        SampleFrame(
            "spot diff of a server", .spot, .depthUpdate,
            #"{"e":"depthUpdate","E":1722988800123,"s":"BTCUSDT","U":157,"u":160,"b":[["9.5","1"]],"a":[],"#
                + #""lobBidsProvenTo":"9.40"}"#),
        SampleFrame(
            "USD-M diff of a server", .usdm, .depthUpdate,
            #"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1722988800123,"T":1722988800120,"#
                + #""s":"BTCUSDT","# + ids + #""b":[],"a":[["9.6","2"]],"st":1,"#
                + #""lobBidsProvenTo":"nothing","lobAsksProvenTo":"10.001"}}"#),
    ]

    static let states: [SampleFrame] = [
        SampleFrame(
            "spot partial depth", .spot, .partialDepth,
            #"{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":160,"bids":"# + bids + #","asks":"#
                + asks + "}}"),
        SampleFrame(
            "USD-M partial depth", .usdm, .partialDepth,
            #"{"stream":"btcusdt@depth20@100ms","data":{"e":"depthUpdate","E":1722988800123,"#
                + #""T":1722988800120,"#
                + #""s":"BTCUSDT","# + ids
                + #""b":[["35776.62","0.019"],["35776.34","1.000"]],"a":[["35776.63","2.000"]]}}"#),
        SampleFrame(
            "spot snapshot", .spot, .depthSnapshot,
            #"{"lastUpdateId":160,"bids":"# + bids + #","asks":"# + asks + "}"),
        SampleFrame(
            "COIN-M snapshot", .coinm, .depthSnapshot,
            #"{"lastUpdateId":160,"E":1722988800123,"T":1722988800120,"symbol":"BTCUSD_PERP","#
                + #""pair":"BTCUSD","#
                + #""bids":[["35943.8","120"]],"asks":[["35944.1","8888"]]}"#),
        SampleFrame(
            "snapshot by WebSocket request", .spot, .depthSnapshot,
            #"{"id":"x1","status":200,"result":{"lastUpdateId":160,"bids":[["1.5","2.0"]],"asks":[]}}"#),
    ]

    static let tickers: [SampleFrame] = [
        SampleFrame(
            "spot ticker", .spot, .bookTicker,
            #"{"u":100530416204,"s":"BTCUSDT","b":"86704.77000000","B":"4.67811000","a":"86704.78000000","#
                + #""A":"0.73337000"}"#),
        SampleFrame(
            "USD-M ticker", .usdm, .bookTicker,
            #"{"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":359220650272,"s":"BTCUSDT","#
                + #""ps":"BTCUSDT","b":"64336.00","B":"73.3346","a":"64346.70","A":"589.8026","#
                + #""T":1785048483771,"E":1785048483772,"#
                + #""st":1}}"#),
        SampleFrame(
            "COIN-M ticker", .coinm, .bookTicker,
            #"{"u":17242169,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"9548.1","B":"52","#
                + #""a":"9548.5","A":"11","T":1591268628155,"E":1591268628166}"#),
    ]

    static let replies: [SampleFrame] = [
        SampleFrame("control reply", .spot, .other, #"{"result":["btcusdt@depth"],"id":312}"#),
        SampleFrame(
            "nested error", .spot, .other,
            #"{"error":{"code":2,"msg":"Invalid request: \"x\""},"id":null}"#),
        SampleFrame("flat error", .usdm, .other, #"{"code":-1121,"msg":"Invalid symbol.","id":"a"}"#),
        SampleFrame("shutdown", .spot, .serverShutdown, #"{"e":"serverShutdown","E":1770123456789}"#),
        SampleFrame(
            "depth of the retail book", .usdm, .other,
            #"{"stream":"a@rpiDepth","data":{"e":"depthUpdate","E":1,"s":"A","U":1,"u":1,"pu":1,"b":[],"a":[]}}"#
        ),
        SampleFrame(
            "trade", .spot, .other,
            #"{"stream":"a@trade","data":{"e":"trade","s":"A","p":"0.1","b":[["1","2"]]}}"#),
    ]
}
