// A served book as the body of a frame.
//
//     counted symbol · u16 source · u8 bits (1 handed over, 2 has scales) · u8 decimals of prices, u8 of
//     quantities · i64 update id · i64 event time · the bids, then the asks
//     side   u8 proven (0 nothing, 1 to the price, 2 all) · i64 proven price · u32 bound of the count ·
//            the levels, as `ByteCursor.nextLevels` reads them
//
// Outside input: an impossible book is rejected.

import BookEngine
import DepthBook
import LobRecording
import MarketData

extension ServedImage {
    /// The image in bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64 + 8 * (book.bids.count + book.asks.count))
        bytes.append(counted: symbol.bytes)
        bytes.append(little: source)
        bytes.append((isHandedOver ? 1 : 0) | (book.scales == nil ? 0 : 2))
        bytes.append(book.scales?.priceDecimals ?? 0)
        bytes.append(book.scales?.quantityDecimals ?? 0)
        bytes.append(little: book.lastUpdateID.value)
        bytes.append(little: book.eventTimeUs)
        ServedImage.append(book.provenBids, book.bidCountBound, book.bids, to: &bytes)
        ServedImage.append(book.provenAsks, book.askCountBound, book.asks, to: &bytes)
        return bytes
    }

    private static func append(
        _ proven: ProvenRange, _ bound: Int, _ levels: [PriceLevel], to bytes: inout [UInt8]
    ) {
        switch proven {
        case .nothing: bytes.append(0)
        case .to: bytes.append(1)
        case .unbounded: bytes.append(2)
        }
        if case .to(let worst) = proven {
            bytes.append(little: worst.mantissa)
        } else {
            bytes.append(little: Int64(0))
        }
        bytes.append(little: UInt32(clamping: bound))
        bytes.append(levels: levels)
    }

    /// Parses an image; nil if the bytes are invalid or describe an impossible book.
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard let name = cursor.nextCounted(), let symbol = SymbolName(name.span), !symbol.isEmpty,
            let source = cursor.next(UInt16.self), let bits = cursor.next(UInt8.self),
            let priceDecimals = cursor.next(UInt8.self), let quantityDecimals = cursor.next(UInt8.self),
            max(priceDecimals, quantityDecimals) <= 18, let id = cursor.next(Int64.self),
            let eventTimeUs = cursor.next(Int64.self),
            let bids = ServedImage.side(.bid, &cursor), let asks = ServedImage.side(.ask, &cursor)
        else { return nil }
        let scales = SymbolScales(
            priceDecimals: Int(priceDecimals), quantityDecimals: Int(quantityDecimals))
        let book = BookImage(
            lastUpdateID: UpdateID(id), eventTimeUs: eventTimeUs, scales: bits & 2 == 0 ? nil : scales,
            provenBids: bids.proven, provenAsks: asks.proven, bids: bids.levels, asks: asks.levels,
            bidCountBound: bids.bound, askCountBound: asks.bound)
        if !book.isPossible { return nil }
        self.init(symbol: symbol, book: book, source: source, isHandedOver: bits & 1 == 1)
    }

    private static func side(
        _ side: Side, _ cursor: inout ByteCursor
    ) -> (proven: ProvenRange, bound: Int, levels: [PriceLevel])? {
        guard let kind = cursor.next(UInt8.self), kind <= 2, let worst = cursor.next(Int64.self),
            let bound = cursor.next(UInt32.self), let levels = cursor.nextLevels(side)
        else { return nil }
        let proven: ProvenRange = kind == 0 ? .nothing : kind == 1 ? .to(Price(worst)) : .unbounded
        return (proven, Int(bound), levels)
    }
}
