import Basics
import Models
import Testing

@testable import Counting
@testable import WarehouseModels

@Suite struct PostingTests {
    @Test(arguments: [
        (PostingSemantics.COUNT_VERSUS_BOOK, false, 90, -10), (.COUNT_VERSUS_BOOK, true, 100, 0),
        (.ABSOLUTE_NOW, false, 90, -10), (.ABSOLUTE_AT, false, 100, 0), (.DELTA, false, 0, 0),
    ])
    func `walk 7: count 100 at nine, pick 10 booked at ten, sent at eleven`(
        semantics: PostingSemantics, isFrozen: Bool, quantity: Int, moved: Int
    ) {
        let facts = book([bookLine("i", 100)], [movement("i", -10, booked: clock(10))])
        let key = LineKey(itemID: "i")
        let since = facts.moved(key, after: clock(9), through: clock(11))
        let posting = PostingQuantity(
            semantics, counted: 100, bookAtCount: facts.quantity(key, at: clock(9)), moved: since, bookFrozen: isFrozen)
        #expect(posting.quantity == Decimal3(quantity) && posting.movedSince == Decimal3(moved))
    }

    func line(
        _ bin: String, _ counted: Decimal3?, book: Decimal3, state: VerdictState = .ACCEPTED, moved: Decimal3 = 0,
        lot: String? = nil
    ) -> GrainLine {
        GrainLine(
            LineVerdict(
                id: "v-\(bin)-\(lot ?? "")", sessionID: "s", binID: bin, itemID: "i", lot: lot, revision: 1,
                state: state,
                finding: .CLEAN, basis: .COUNTED, passIDs: [], counted: counted, countedTo: clock(9), bookAtCount: book,
                variance: nil), binCode: bin, sku: "4711;AX", site: "1000", location: "0001", moved: moved)
    }

    let plant = ExportGrain([.site, .location, .item])

    @Test func `bins are summed to the ERP's grain only when all are settled`() {
        let open = ExportRollUp.lines(
            [line("A", 5, book: 6), line("B", 7, book: 7, state: .TO_DECIDE), line("C", 1, book: 1, state: .RECOUNT)],
            grain: plant, semantics: .COUNT_VERSUS_BOOK, bookFrozen: true)
        #expect(open.count == 1 && open[0].heldText == "B, C" && open[0].quantity == nil && !open[0].isReady)
        let done = ExportRollUp.lines(
            [line("A", 5, book: 6, moved: -1), line("B", 7, book: 7)], grain: plant, semantics: .ABSOLUTE_NOW,
            bookFrozen: false)
        #expect(done[0].quantity == 11 && done[0].movedSince == -1 && done[0].isReady)
        #expect(done[0].verdictIDs == ["v-A-", "v-B-"] && done[0].countedAt == clock(9))
    }

    @Test func `a bin that nobody judged yet holds the items it has in the book`() {
        let bins = [
            OpenBin(binCode: "Z", site: "1000", location: "0001", skus: ["4711;AX"]),
            OpenBin(binCode: "Y", site: "1000", location: "0002", skus: ["4711;AX"]),
            OpenBin(binCode: "X", site: "1000", location: "0001", skus: ["other"]),
        ]
        let lines = ExportRollUp.lines(
            [line("A", 5, book: 6)], grain: plant, semantics: .DELTA, bookFrozen: false, openBins: bins)
        #expect(lines[0].heldFor == ["Z"])
        let byBin = ExportRollUp.lines(
            [line("A", 5, book: 6)], grain: ExportGrain([.bin]), semantics: .DELTA, bookFrozen: false, openBins: bins)
        #expect(byBin[0].isReady && byBin[0].quantity == -1)
    }

    @Test func `a counted zero is flagged, a delta of zero is not`() {
        let zero = [line("A", 0, book: 3)]
        #expect(
            ExportRollUp.lines(zero, grain: plant, semantics: .COUNT_VERSUS_BOOK, bookFrozen: true)[0].zeroFlag)
        #expect(
            !ExportRollUp.lines([line("A", 3, book: 3)], grain: plant, semantics: .DELTA, bookFrozen: true)[0].zeroFlag)
    }

    @Test func `waived lines stand with their book, and alone send nothing`() {
        let waived = line("B", nil, book: 7, state: .WAIVED)
        let mixed = ExportRollUp.lines(
            [line("A", 5, book: 6), waived], grain: plant, semantics: .COUNT_VERSUS_BOOK, bookFrozen: true)
        #expect(mixed[0].quantity == 12 && mixed[0].isReady)
        let alone = ExportRollUp.lines([waived], grain: plant, semantics: .COUNT_VERSUS_BOOK, bookFrozen: true)
        #expect(alone[0].quantity == nil && !alone[0].isReady && !alone[0].zeroFlag)
    }

    @Test func `grains keep what they name apart`() {
        let lots = [line("A", 5, book: 5, lot: "L=1"), line("A", 6, book: 6, lot: "L2")]
        let byLot = ExportRollUp.lines(
            lots, grain: ExportGrain([.bin, .lot]), semantics: .ABSOLUTE_AT, bookFrozen: false)
        #expect(byLot.map(\.grainKey) == ["bin=A;item=4711\\;AX;lot=L2", "bin=A;item=4711\\;AX;lot=L\\=1"])
        #expect(ExportRollUp.lines(lots, grain: plant, semantics: .ABSOLUTE_AT, bookFrozen: false)[0].quantity == 11)
        #expect(ExportGrain("bin+item+lot")?.description == "bin+item+lot")
        #expect(ExportGrain("bin+shelf") == nil && ExportGrain("") == nil)
    }
}

@Suite struct CSVTests {
    @Test(arguments: [
        ("plain", "plain"), ("=1+1", "'=1+1"), ("+49", "'+49"), ("-5", "'-5"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"), ("\r=x", "\"'\r=x\""), ("a,b", "\"a,b\""), ("10\" blue", "\"10\"\" blue\""),
        ("a\nb", "\"a\nb\""), ("\u{1B}[31mred", "[31mred"), ("\u{1}=1", "'=1"), ("", ""), (" x", "\" x\""),
        ("\u{FF1D}1", "'\u{FF1D}1"), ("a\r\nb", "\"a\r\nb\""),
    ])
    func `foreign text is never a formula`(text: String, written: String) {
        #expect(CSV.written(.text(text)) == written)
    }

    @Test func `own numbers keep their sign`() {
        #expect(CSV.line([.plain("-10.5"), .text("-10.5"), .empty, .plain("x")]) == "-10.5,'-10.5,,x\r\n")
    }
}

@Suite struct AccuracyTests {
    @Test func `plus five and minus five are not accurate`() {
        let lines = [
            AccuracyLine(binID: "A", counted: 15, book: 10, isWithin: false, varianceValue: 50),
            AccuracyLine(binID: "A", counted: 5, book: 10, isWithin: false, varianceValue: -50),
        ]
        let figures = Accuracy(lines)
        #expect(figures.netUnits == 0 && figures.grossUnits == 10 && figures.units.percentText == "50.0")
        #expect(figures.grossValue == 100 && figures.netValue == 0)
        #expect(figures.bins == Share(0, of: 1) && figures.lines == Share(0, of: 2))
    }

    @Test func `a bin is right when every line is`() {
        let figures = Accuracy([
            AccuracyLine(binID: "A", counted: 10, book: 10, isWithin: true),
            AccuracyLine(binID: "A", counted: 99, book: 100, isWithin: true),
            AccuracyLine(binID: "B", counted: 10, book: 10, isWithin: true),
            AccuracyLine(binID: "B", counted: 1, book: 9, isWithin: false),
        ])
        #expect(figures.bins.percentText == "50.0" && figures.lines.percentText == "75.0")
        #expect(figures.strictLines.percentText == "50.0")
        #expect(figures.units.percentText == "93.0")
    }

    @Test func `shares are never rounded up, and nothing of nothing is no figure`() {
        #expect(Share(9996, of: 10000).percentText == "99.9" && Share(0, of: 0).percentText == nil)
        #expect(Accuracy([]).units.percentText == nil)
    }

    @Test func `a counter's figures`() {
        let quality = CounterQuality(
            firstCounts: [(10, 10), (9, 10)], opinions: [true, false, false, false], secondsPerBin: [30, 10, 50, 20])
        #expect(quality.firstCountHits.percentText == "50.0" && quality.overturned.percentText == "25.0")
        #expect(quality.medianSecondsPerBin == 25)
    }
}
