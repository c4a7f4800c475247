import Basics
import Models
import Testing

@Suite("Decimals are exact")
struct DecimalTests {
    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("12", 12_000), ("-12", -12_000), ("+1", 1000), ("0.5", 500), (".5", 500),
            ("5.", 5000), ("0.001", 1), ("-0.001", -1),
            ("1.500000", 1500), ("1e3", 1_000_000), ("1E-3", 1), ("1500e-3", 1500), ("0.0015e3", 1500),
            ("1e+2", 100_000),
            ("9223372036854775.807", .max), ("-9223372036854775.807", -.max), ("000000000000000000000000001", 1000),
            ("0e30", 0),
            ("0.000000000000", 0), ("10e-4", 1),
        ] as [(String, Int64)])
    func aNumeralIsRead(text: String, units: Int64) {
        #expect(Decimal3(text)?.units == units)
    }

    @Test(arguments: [
        "", "-", ".", "+", "1,5", "1.5.5", " 1", "1 ", "0.0001", "1e-4", "1e", "e3", "1e31", "1e-31", "--1", "0x1",
        "NaN", "inf", "9223372036854775.808",
        "1e30", "١", "1_000", "1e-9223372036854775808", "1e9223372036854775807", "1e99999999999999999999",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(Decimal3(text) == nil)
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.001"), (-1, "-0.001"), (10, "0.01"), (1000, "1"), (-1500, "-1.5"), (12_345, "12.345"),
            (.max, "9223372036854775.807"),
            (.min, "-9223372036854775.808"),
        ] as [(Int64, String)])
    func theTextIsTheShortest(units: Int64, text: String) {
        #expect(Decimal3(units: units).description == text)
    }

    @Test func everyValueComesBackFromItsText() {
        let random = SeededRandom(seed: 21)
        for _ in 0..<5000 {
            let units = Int64(bitPattern: random.next()) >> Int64(random.below(63))
            guard units > .min else { continue }
            #expect(Decimal3(Decimal3(units: units).description)?.units == units)
            #expect(Decimal4(Decimal4(units: units).description)?.units == units)
        }
    }

    @Test func fifteenDigitsSurviveADouble() {
        // What the wire promises: a decoder that goes through a double gives the same number back.
        let random = SeededRandom(seed: 22)
        for _ in 0..<5000 {
            let units = Int64(random.next() % 1_000_000_000_000_000) * (random.below(2) == 0 ? 1 : -1)
            let text = Decimal3(units: units).description
            guard let double = Double(text) else { return #expect(Bool(false), "\(text)") }
            #expect(Decimal3("\(double)")?.units == units)
        }
    }

    @Test func sumsAndOrderAreThoseOfTheUnits() throws {
        let tenth = try #require(Decimal3("0.1"))
        var sum = Decimal3.zero
        for _ in 0..<10 { sum += tenth }
        #expect(sum == 1)
        #expect(sum - tenth == Decimal3("0.9"))
        #expect(-tenth < .zero)
        #expect((-tenth).magnitude == tenth)
        #expect(Decimal3(3).isWhole)
        #expect(!tenth.isWhole)
    }

    @Test func productsAreExactOrNothing() throws {
        let half = try #require(Decimal3("0.5"))
        #expect(half.multiplied(by: Decimal3(3)) == Decimal3("1.5"))
        #expect(half.multiplied(by: try #require(Decimal3("0.001"))) == nil)
        #expect(Decimal4(2).multiplied(by: try #require(Decimal3("-0.125"))) == Decimal4("-0.25"))
        #expect(Decimal3(units: .max).multiplied(by: Decimal3(1)) == Decimal3(units: .max))
        #expect(Decimal3(units: .max).multiplied(by: Decimal3(2)) == nil)
        #expect(Decimal3(units: .max).multiplied(by: Decimal3(units: .max)) == nil)
        #expect(Decimal3(3_000_000).multiplied(by: Decimal3(3_000_000)) == Decimal3(9_000_000_000_000))
    }

    @Test func productsOfWholeNumbersAreIntegers() {
        let random = SeededRandom(seed: 23)
        for _ in 0..<2000 {
            let a = random.below(90_000) - 45_000
            let b = random.below(90_000) - 45_000
            #expect(Decimal3(a).multiplied(by: Decimal3(b)) == Decimal3(a * b))
        }
    }
}
