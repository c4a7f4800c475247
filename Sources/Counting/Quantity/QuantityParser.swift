/// Recursive descent over the characters of a typed quantity; see ``QuantityExpression``.
struct QuantityParser {
    /// A sum: its value in base units, and the unit that all of its products share.
    struct Sum {
        var total = Rational.zero
        var sharedUnit: PackUnit?
        var isPlain = true
    }

    private let characters: [Character]
    private let units: QuantityUnits
    private var index = 0
    /// The numerals read so far.
    private(set) var numerals: [String] = []
    private var sawUnit = false

    /// The text without outer blanks.
    var trimmed: String {
        var slice = characters[...]
        while slice.first == " " { slice.removeFirst() }
        while slice.last == " " { slice.removeLast() }
        return String(slice)
    }

    init(_ text: String, units: QuantityUnits) {
        characters = Array(text)
        self.units = units
    }

    /// Reads the whole text.
    mutating func sum() throws(QuantityError) -> Sum {
        var result = Sum()
        skipBlanks()
        guard index < characters.count else { throw .empty }
        var negative = false
        if take("+") || take("-") { negative = characters[index - 1] == "-" }
        var terms = 0
        var operators = negative ? 1 : 0
        repeat {
            let (value, unit, factors) = try product()
            guard let total = result.total.adding(negative ? value.negated : value) else { throw .overflow }
            result.total = total
            result.sharedUnit = terms == 0 ? unit : (result.sharedUnit?.unit == unit.unit ? unit : nil)
            terms += 1
            operators += factors - 1
            skipBlanks()
            if index == characters.count { break }
            negative = characters[index] == "-"
            guard take("+") || take("-") else {
                throw .unexpected(characters[index], position: index + 1)
            }
            operators += 1
        } while true
        result.isPlain = operators == 0 && !sawUnit
        return result
    }

    private mutating func product() throws(QuantityError) -> (value: Rational, unit: PackUnit, factors: Int) {
        var value = try number()
        var unit = try suffix()
        var factors = 1
        while takeTimes() {
            guard let next = value.multiplied(by: try number()) else { throw .overflow }
            value = next
            factors += 1
            if let named = try suffix() {
                guard unit == nil else { throw .twoUnits }
                unit = named
            }
        }
        let counted = unit ?? units.defaultUnit
        guard let total = value.multiplied(by: counted.factor) else { throw .overflow }
        return (total, counted, factors)
    }

    private mutating func number() throws(QuantityError) -> Rational {
        skipBlanks()
        let start = index
        while index < characters.count, isDigit(characters[index]) || characters[index] == "." { index += 1 }
        let text = String(characters[start..<index])
        guard !text.isEmpty else {
            guard index < characters.count else { throw .unfinished }
            throw .unexpected(characters[index], position: index + 1)
        }
        let points = text.filter { $0 == "." }.count
        guard points <= 1 else { throw .unexpected(".", position: index) }
        guard text != "." else { throw .unfinished }
        guard text.count - points <= 15, let value = Rational(numeral: text[...].utf8) else { throw .overflow }
        numerals.append(text)
        return value
    }

    /// Reads a unit after a number. `x` before a number is always the times sign.
    private mutating func suffix() throws(QuantityError) -> PackUnit? {
        skipBlanks()
        let start = index
        var end = start
        while end < characters.count, characters[end].isLetter, characters[end] != "×" { end += 1 }
        // `3csx2`: the trailing x is the times sign when a number follows and the rest alone is a unit.
        var follow = end
        while follow < characters.count, characters[follow] == " " { follow += 1 }
        let numberFollows = follow < characters.count && (isDigit(characters[follow]) || characters[follow] == ".")
        if end > start, isTimesLetter(characters[end - 1]), numberFollows || end == characters.count,
            end - start == 1 || units.unit(named: String(characters[start..<end])) == nil
        {
            end -= 1
        }
        guard end > start else { return nil }
        // A unit's name may hold digits (`CS12`), which only a declared unit makes sure of.
        var longest = end
        var stop = end
        while stop < characters.count, characters[stop].isLetter || isDigit(characters[stop]) {
            stop += 1
            let name = String(characters[start..<stop])
            if units.packs.contains(where: { sameUnit($0.unit, name) }) { longest = stop }
        }
        let name = String(characters[start..<longest])
        guard let unit = units.unit(named: name) else { throw .unknownUnit(name) }
        index = longest
        sawUnit = true
        return unit
    }

    private mutating func takeTimes() -> Bool {
        skipBlanks()
        guard index < characters.count, characters[index] == "*" || isTimesLetter(characters[index]) else {
            return false
        }
        index += 1
        return true
    }

    private mutating func take(_ character: Character) -> Bool {
        skipBlanks()
        guard index < characters.count, characters[index] == character else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while index < characters.count, characters[index] == " " { index += 1 }
    }

    private func isDigit(_ character: Character) -> Bool { character >= "0" && character <= "9" && character.isASCII }

    private func isTimesLetter(_ character: Character) -> Bool {
        character == "x" || character == "X" || character == "×"
    }
}
