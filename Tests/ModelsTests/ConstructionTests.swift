import Basics
import Models
import SampleModels
import Testing
import WarehouseModels

@Suite("D18: what a field cannot hold is refused when a record is made")
struct ConstructionTests {
    private let random = Samples(random: SeededRandom(seed: 7))

    /// A record of every scalar with one field changed.
    private func refusal(_ change: (inout Everything.Draft) -> Void) throws -> InvalidValue? {
        let right = try random.everything("e")
        do {
            _ = try right.updating(change)
            return nil
        } catch let error as InvalidValue {
            return error
        }
    }

    @Test(
        "naming the model, the field and the value",
        arguments: [
            ("day", "2026-02-30"), ("time", "24:00"), ("mail", "ann@"), ("phone", "12"), ("url", "no url"),
            ("address", "256.0.0.1"),
        ])
    func text(field: String, value: String) throws {
        let error = try #require(
            try refusal { draft in
                switch field {
                case "day": draft.day = value
                case "time": draft.time = value
                case "mail": draft.mail = value
                case "phone": draft.phone = value
                case "url": draft.url = value
                default: draft.address = value
                }
            })
        #expect(error.model == "Everything" && error.field == field && error.value == value)
        #expect(error.description.hasPrefix("Everything.\(field): \(value) is not a valid AWS"))
    }

    @Test("in optional fields and lists too, and not where nothing is there")
    func optional() throws {
        #expect(try refusal { $0.maybeMail = "x" }?.field == "maybeMail")
        #expect(try refusal { $0.maybeDay = nil } == nil)
        let error = try #require(try refusal { $0.days = ["2026-02-28", "yesterday"] })
        #expect(error.field == "days[1]" && error.value == "\"yesterday\"")
    }

    @Test("numbers of more than 32 bits, numbers that are none, decimals of too many digits")
    func numbers() throws {
        #expect(
            try refusal { $0.number = 1 << 31 }?.description
                == "Everything.number: 2147483648 has more than 32 bits, as an Int may have")
        #expect(try refusal { $0.number = -1 << 31 } == nil)
        #expect(try refusal { $0.big = 1 << 40 } == nil)
        #expect(try refusal { $0.real = .infinity }?.field == "real")
        #expect(try refusal { $0.numbers = [1, 1 << 31] }?.field == "numbers[1]")
        #expect(try refusal { $0.home = Address(street: "s", floor: 1 << 31) }?.field == "home.floor")
        #expect(try refusal { $0.quantity = Decimal3(units: 999_999_999_999_999) } == nil)
        #expect(
            try refusal { $0.quantity = Decimal3(units: -1_000_000_000_000_000) }?.description
                == "Everything.quantity: -1000000000000 has more than twelve digits before its point")
        #expect(try refusal { $0.price = Decimal4(units: 10_000_000_000_000_000) }?.field == "price")
        #expect(try refusal { $0.quantities = [1, Decimal3(units: 1_000_000_000_000_000)] }?.field == "quantities[1]")
        #expect(
            try refusal { $0.home = Address(street: "s", height: Decimal3(units: .max)) }?.description
                == "Everything.home.height: 9223372036854775.807 has more than twelve digits before its point")
        #expect(Decimal3("1.2345") == nil, "a decimal's text cannot have more places than it")
    }

    @Test("instants that no text has, wherever they stand")
    func instants() throws {
        let last = DateTime.writable.upperBound
        #expect(try refusal { $0.at = DateTime(milliseconds: last) } == nil)
        for wrong in [last + 1, DateTime.writable.lowerBound - 1, .min, .max] {
            let wrong = DateTime(milliseconds: wrong)
            #expect(try refusal { $0.at = wrong }?.field == "at")
            #expect(try refusal { $0.maybeAt = wrong }?.field == "maybeAt")
            #expect(try refusal { $0.moments = [DateTime(milliseconds: 0), wrong] }?.field == "moments[1]")
            #expect(try refusal { $0.home = Address(street: "s", since: wrong) }?.field == "home.since")
        }
    }

    @Test("by the initializer as by a change, and a composite key's parts")
    func initializer() {
        #expect(throws: InvalidValue.self) { try Picture(id: "p", url: "no url") }
        let error = #expect(throws: InvalidValue.self) { try Author(country: "d#e", number: 1, name: "n") }
        #expect(error?.field == "country")
    }

    @Test("and the same is asked of models whose initializer does not throw")
    func others() {
        let zone = Zone(id: "z", code: "A", name: "n", walkSequence: 1 << 31)
        let error = #expect(throws: InvalidValue.self) { try zone.validated(in: warehouse) }
        #expect(error?.description == "Zone.walkSequence: 2147483648 has more than 32 bits, as an Int may have")
    }
}
