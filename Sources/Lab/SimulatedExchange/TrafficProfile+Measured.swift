// The named profiles. The first four are measured in captured sessions; the last two exist for measurements.
//
// Percentiles are measured: levels, gaps, moves, quantities and distances are those of the sessions. Shares
// are chosen so that the generated traffic shows the session's shares, because moves and tickers add inserts,
// deletes and modifications of their own. OrderFlowTests compares the result with the sessions.

import MarketData

extension TrafficProfile {
    /// Spot BTCUSDT of August 2024: small tick, sparse book, inserts and deletes in equal number.
    package static let spotBTC = TrafficProfile(
        name: "spot-btc", market: .spot, scales: SymbolScales(priceDecimals: 8, quantityDecimals: 8),
        tick: 1_000_000, quantityStep: 1_000, startPrice: 6_183_763_000_000, levelCount: 6_000,
        ids: .contiguous,
        updateGapUs: QuantileTable([
            100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 100_000, 200_000,
        ]),
        updateGridUs: 100_000,
        outputDelayUs: QuantileTable(even: 1_000...3_000),
        levelsPerUpdate: QuantileTable([1, 2, 4, 6, 9, 16, 31, 69, 136, 355, 1_076]),
        persistencePerMille: 720,
        tickersPerUpdate: QuantileTable([0, 0, 0, 0, 1, 3, 7, 21, 40, 90, 167]),
        insertPerMille: 415, deletePerMille: 395, unheldPerMille: 60, reusePerMille: 100,
        reinsertPerMille: 60,
        samePerMille: 110, farPerMille: 20,
        insertDistance: QuantileTable([
            1, 3, 141, 317, 1_128, 2_995, 8_563, 14_832, 34_872, 155_832, 4_630_518,
        ]),
        deleteRank: QuantileTable([1, 1, 4, 8, 32, 108, 340, 660, 1_150, 2_200, 6_000]),
        modifyRank: QuantileTable([1, 1, 2, 4, 13, 60, 324, 803, 1_097, 1_462, 2_379]),
        unheldDistance: QuantileTable([
            -5_007, -1_305, -416, -199, 188, 1_459, 4_386, 36_796, 155_076, 618_636, 3_999_390,
        ]),
        rankMax: .max, movePerMille: 80,
        moveTicks: QuantileTable([1, 1, 1, 4, 131, 262, 491, 762, 1_298, 2_639, 4_632]),
        retreatPerMille: 5, tightenPerMille: 600, moveGapTicks: 30, walkTicks: 500,
        quantity: QuantileTable([
            8_000, 9_000, 17_000, 48_000, 810_000, 4_992_000, 14_834_000, 48_767_000, 69_518_000, 294_439_000,
            55_454_879_000,
        ]))

    /// Spot NEXOUSDT of July 2024: a quiet symbol with large ticks, its full book within any snapshot.
    package static let spotAlt = TrafficProfile(
        name: "spot-alt", market: .spot, scales: SymbolScales(priceDecimals: 8, quantityDecimals: 8),
        tick: 100_000, quantityStep: 1_000_000, startPrice: 127_400_000, levelCount: 560, ids: .contiguous,
        updateGapUs: QuantileTable([
            100_000, 100_000, 100_000, 100_000, 100_000, 400_000, 1_200_000, 3_200_000, 5_200_000, 11_000_000,
            38_600_000,
        ]),
        updateGridUs: 100_000,
        outputDelayUs: QuantileTable(even: 1_000...3_000),
        levelsPerUpdate: QuantileTable([1, 1, 1, 1, 1, 1, 2, 4, 6, 10, 50]),
        persistencePerMille: 400,
        tickersPerUpdate: QuantileTable([0, 0, 0, 0, 0, 0, 1, 1, 2, 6, 54]),
        insertPerMille: 6, deletePerMille: 6, unheldPerMille: 2, reusePerMille: 80, reinsertPerMille: 100,
        samePerMille: 24, farPerMille: 0,
        insertDistance: QuantileTable([1, 1, 1, 2, 6, 44, 64, 86, 123, 900, 6_000]),
        deleteRank: QuantileTable([1, 1, 1, 1, 2, 37, 60, 80, 116, 200, 560]),
        modifyRank: QuantileTable([1, 1, 1, 1, 2, 4, 12, 29, 52, 117, 671]),
        unheldDistance: QuantileTable([-4, -4, -3, -2, -1, -1, -1, -1, -1, 5, 33]),
        rankMax: .max, movePerMille: 30,
        moveTicks: QuantileTable([1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 5]),
        retreatPerMille: 500, tightenPerMille: 150, moveGapTicks: 1, walkTicks: 1,
        quantity: QuantileTable([
            10_000_000, 660_000_000, 1_174_000_000, 1_949_000_000, 2_988_000_000, 7_547_000_000,
            20_854_000_000,
            209_519_000_000, 1_021_023_000_000, 2_162_071_000_000, 4_363_065_000_000,
        ]))

    /// USD-M BTCUSDT of August 2024: large tick, dense book, mostly modifications, far fixed prices.
    package static let usdmBTC = TrafficProfile(
        name: "usdm-btc", market: .usdm, scales: SymbolScales(priceDecimals: 2, quantityDecimals: 3),
        tick: 10, quantityStep: 1, startPrice: 6_180_020, levelCount: 3_500,
        ids: .shared(
            span: QuantileTable([
                821, 1_031, 1_405, 1_658, 2_154, 2_939, 4_543, 7_127, 10_456, 16_908, 22_599,
            ]), hole: QuantileTable([0, 0, 3, 11, 58, 141, 264, 460, 638, 1_051, 2_613])),
        updateGapUs: QuantileTable([
            51_000, 51_000, 51_000, 51_000, 51_400, 52_000, 53_000, 54_000, 55_000, 60_000, 78_000,
        ]),
        updateGridUs: 1,
        outputDelayUs: QuantileTable([0, 0, 0, 0, 1_000, 1_000, 3_000, 6_000, 9_000, 14_000, 28_000]),
        levelsPerUpdate: QuantileTable([5, 9, 13, 16, 23, 35, 60, 130, 218, 486, 1_012]),
        persistencePerMille: 740,
        tickersPerUpdate: QuantileTable([0, 0, 0, 0, 1, 4, 9, 23, 46, 94, 202]),
        insertPerMille: 180, deletePerMille: 155, unheldPerMille: 30, reusePerMille: 120,
        reinsertPerMille: 250,
        samePerMille: 79, farPerMille: 50,
        insertDistance: QuantileTable([1, 2, 21, 43, 108, 297, 671, 1_705, 4_559, 33_857, 600_000]),
        deleteRank: QuantileTable([1, 1, 5, 11, 40, 167, 422, 1_043, 1_368, 2_212, 3_500]),
        modifyRank: QuantileTable([1, 4, 17, 36, 97, 240, 531, 1_290, 2_025, 2_703, 3_136]),
        unheldDistance: QuantileTable([
            -128_484, -21_301, -62, -16, 36, 206, 4_560, 72_158, 432_626, 432_739, 600_000,
        ]),
        rankMax: .max, movePerMille: 65,
        moveTicks: QuantileTable([1, 1, 2, 4, 11, 20, 40, 60, 75, 123, 172]),
        retreatPerMille: 5, tightenPerMille: 600, moveGapTicks: 4, walkTicks: 40,
        quantity: QuantileTable([1, 2, 2, 2, 8, 70, 397, 1_146, 2_569, 14_506, 858_739]))

    /// COIN-M BTCUSD_PERP of August 2024: many small updates, integer quantities, deletes of unknown prices.
    package static let coinm = TrafficProfile(
        name: "coinm", market: .coinm, scales: SymbolScales(priceDecimals: 1, quantityDecimals: 0),
        tick: 1, quantityStep: 1, startPrice: 618_047, levelCount: 1_600,
        ids: .shared(
            span: QuantileTable([1, 1, 2, 8, 23, 51, 108, 216, 325, 659, 1_710]),
            hole: QuantileTable([0, 0, 1, 2, 5, 13, 30, 62, 91, 177, 608])),
        updateGapUs: QuantileTable([
            8_000, 8_000, 8_000, 8_300, 9_000, 10_000, 15_000, 19_000, 22_000, 35_000, 84_000,
        ]),
        updateGridUs: 1,
        outputDelayUs: QuantileTable([
            3_000, 5_000, 7_000, 7_000, 9_000, 11_000, 13_000, 15_000, 17_000, 21_000, 50_000,
        ]),
        levelsPerUpdate: QuantileTable([1, 1, 1, 1, 3, 5, 10, 19, 29, 71, 217]),
        persistencePerMille: 560,
        tickersPerUpdate: QuantileTable([0, 0, 0, 0, 0, 0, 0, 2, 3, 10, 31]),
        insertPerMille: 290, deletePerMille: 290, unheldPerMille: 148, reusePerMille: 150,
        reinsertPerMille: 380,
        samePerMille: 110, farPerMille: 60,
        insertDistance: QuantileTable([1, 6, 31, 53, 112, 238, 600, 1_580, 2_550, 7_800, 597_125]),
        deleteRank: QuantileTable([1, 1, 4, 7, 19, 56, 138, 396, 591, 1_011, 1_600]),
        modifyRank: QuantileTable([1, 1, 4, 7, 18, 51, 155, 657, 1_127, 1_169, 1_279]),
        unheldDistance: QuantileTable([-6_256, -104, -73, -60, -39, -17, -5, 197, 307, 8_392, 568_268]),
        rankMax: .max, movePerMille: 12,
        moveTicks: QuantileTable([1, 1, 1, 1, 10, 22, 39, 56, 61, 72, 106]),
        retreatPerMille: 10, tightenPerMille: 600, moveGapTicks: 9, walkTicks: 15,
        quantity: QuantileTable([1, 1, 1, 1, 15, 50, 412, 2_000, 6_237, 6_739, 247_117]))

    /// Every change within the best 20 levels per side.
    package static let topOfBook: TrafficProfile = {
        var profile = usdmBTC
        profile.name = "top-of-book"
        profile.levelCount = 1_000
        profile.levelsPerUpdate = QuantileTable([1, 1, 2, 3, 5, 8, 12, 16, 20, 26, 36])
        profile.insertPerMille = 200
        profile.deletePerMille = 200
        profile.unheldPerMille = 0
        profile.farPerMille = 0
        profile.insertDistance = QuantileTable(even: 1...40)
        profile.deleteRank = QuantileTable(even: 1...16)
        profile.modifyRank = QuantileTable(even: 1...16)
        profile.moveTicks = QuantileTable(even: 1...3)
        profile.walkTicks = 4
        profile.rankMax = 16
        return profile
    }()

    /// Inserts and deletes spread evenly over 10,000 levels per side.
    package static let deep: TrafficProfile = {
        var profile = spotBTC
        profile.name = "deep"
        profile.levelCount = 10_000
        profile.farPerMille = 0
        profile.unheldPerMille = 20
        profile.insertDistance = QuantileTable(even: 1...60_000)
        profile.deleteRank = QuantileTable(even: 1...9_999)
        profile.modifyRank = QuantileTable(even: 1...9_999)
        profile.unheldDistance = QuantileTable(even: -100...60_000)
        return profile
    }()
}
