import Basics
import Models
import Testing

@testable import Counting

@Suite struct QuantityTests {
    let pieces = QuantityUnits(
        baseUnit: "EA", decimals: 0,
        packs: [PackUnit("CS", numerator: 12)!, PackUnit("PAL", numerator: 480)!, PackUnit("CS24", numerator: 24)!])
    let metres = QuantityUnits(baseUnit: "M", decimals: 2)

    @Test(arguments: [
        ("12", "12"), ("13*12+2", "158"), ("4*6*12+7", "295"), ("3x12", "36"), ("3 X 12 - 1", "35"), ("3CS", "36"),
        ("3 cs", "36"), ("2 PAL + 3CS + 7", "1003"), ("3CS24", "72"), ("2CS*2", "48"), ("2csx2", "48"), ("3×4", "12"),
        (" 7 ", "7"), ("+5", "5"), ("3P", "1440"), ("2 EA", "2"), ("007", "7"), ("0", "0"), ("0.5*2", "1"),
        ("2pals", "960"), ("1+2*3", "7"),
    ])
    func `comes to the exact sum`(text: String, value: String) throws {
        #expect(try QuantityExpression.evaluate(text, in: pieces).base == Decimal3(value))
    }

    @Test(arguments: [
        ("", QuantityError.empty), ("  ", .empty), ("13*", .unfinished), ("13*12+", .unfinished), ("3x", .unfinished),
        ("1.5", .tooManyPlaces(allowed: 0)), ("3 QQ", .unknownUnit("QQ")), ("2CS*3PAL", .twoUnits),
        ("5-7", .negative), ("12a4", .unknownUnit("a")), ("1..2", .unexpected(".", position: 4)),
        ("*3", .unexpected("*", position: 1)), ("3 4", .unexpected("4", position: 3)),
        ("999999999*999999999*999", .overflow), ("1000000000000", .overflow), ("9999999999999999", .overflow),
        (".", .unfinished),
    ])
    func `says what is wrong`(text: String, error: QuantityError) {
        #expect(throws: error) { try QuantityExpression.evaluate(text, in: pieces) }
        #expect(!error.description.isEmpty)
    }

    @Test func `keeps the unit that all products share`() throws {
        let cases = try QuantityExpression.evaluate("2CS + 3CS", in: pieces)
        #expect(cases.unit == "CS" && cases.quantity == 5 && cases.base == 60)
        let mixed = try QuantityExpression.evaluate("2CS + 3", in: pieces)
        #expect(mixed.unit == "EA" && mixed.quantity == 27 && mixed.base == 27)
    }

    @Test func `counts bare numbers in the pack whose code was scanned`() throws {
        let units = QuantityUnits(baseUnit: "EA", decimals: 0, packs: pieces.packs, defaultUnit: "CS")
        let typed = try QuantityExpression.evaluate("3", in: units)
        #expect(typed.base == 36 && typed.unit == "CS" && typed.quantity == 3 && typed.isPlain)
        #expect(try QuantityExpression.evaluate("3 + 2 EA", in: units).base == 38)
    }

    @Test func `is exact with fractions of packs`() throws {
        let thirds = QuantityUnits(baseUnit: "KG", decimals: 3, packs: [PackUnit("BAG", numerator: 1, denominator: 3)!])
        #expect(try QuantityExpression.evaluate("3 BAG", in: thirds).base == 1)
        #expect(throws: QuantityError.tooManyPlaces(allowed: 3)) {
            try QuantityExpression.evaluate("1 BAG", in: thirds)
        }
    }

    @Test func `allows the item's places and no more`() throws {
        #expect(try QuantityExpression.evaluate("2.25", in: metres).base == Decimal3(units: 2250))
        #expect(throws: QuantityError.tooManyPlaces(allowed: 2)) {
            try QuantityExpression.evaluate("2.255", in: metres)
        }
        #expect(try QuantityExpression.evaluate("0.005*2", in: metres).base == Decimal3(units: 10))
    }

    @Test func `a correction may be negative`() throws {
        #expect(try QuantityExpression.evaluate("-2*3", in: pieces, allowsNegative: true).base == -6)
    }

    @Test func `previews what is typed so far`() {
        #expect(QuantityExpression.preview("13*12+", in: pieces)?.base == 156)
        #expect(QuantityExpression.preview("13*", in: pieces)?.base == 13)
        #expect(QuantityExpression.preview("*", in: pieces) == nil)
    }

    @Test func `asks about what looks like a scan or a slip`() throws {
        let barcode = "4006381333931"
        let scan = try QuantityExpression.evaluate("4006381333931*0+1", in: pieces)
        #expect(scan.concerns(in: pieces, barcodes: [barcode]).contains(.isBarcode(barcode)))
        #expect(scan.concerns(in: pieces, barcodes: [String]()).contains(.manyDigits(13)))
        let many = try QuantityExpression.evaluate("4801", in: pieces)
        #expect(many.concerns(in: pieces, barcodes: [String]()) == [.exceedsPacks(unit: "PAL")])
        let usual = try QuantityExpression.evaluate("4800", in: pieces)
        #expect(usual.concerns(in: pieces, barcodes: [barcode]).isEmpty)
    }

    @Test func `agrees with a plain evaluator over random expressions`() throws {
        let free = QuantityUnits(baseUnit: "EA", decimals: 3)
        for seed in 0..<2000 {
            var random = SplitMix64(seed: UInt64(seed))
            var text = ""
            var total: Int64 = 0
            for term in 0...random.below(4) {
                var product: Int64 = 1
                let minus = term > 0 && random.below(3) == 0
                if term > 0 { text += minus ? "-" : "+" }
                for factor in 0...random.below(3) {
                    let number = Int64(random.below(200))
                    if factor > 0 { text += ["*", "x", " * "][random.below(3)] }
                    text += String(number)
                    product *= number
                }
                total += minus ? -product : product
            }
            let value = try QuantityExpression.evaluate(text, in: free, allowsNegative: true)
            #expect(value.base == Decimal3(Int(total)), "\(text)")
        }
    }

    @Test func `never crashes on random text`() {
        let alphabet = Array("0123456789.*+-xX× csCSpal24\u{0}éq")
        for seed in 0..<5000 {
            var random = SplitMix64(seed: UInt64(seed))
            let text = String((0..<random.below(24)).map { _ in alphabet[random.below(alphabet.count)] })
            let value = try? QuantityExpression.evaluate(text, in: pieces)
            if let value { #expect(value.base >= 0) }
            _ = QuantityExpression.preview(text, in: pieces)
        }
    }
}
