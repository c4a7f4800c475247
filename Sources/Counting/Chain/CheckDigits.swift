import Basics

/// The two digits on a bin's label that prove someone stands before it.
///
/// They follow from a site's seed and the bin's code, differ from those of its neighbours, and never change once given.
public enum CheckDigits {
    /// Gives digits to every bin that has none.
    ///
    /// - Parameters:
    ///   - bins: in walking order, with the digits already on their labels, which stay.
    ///   - seed: the site's own; the same seed and bins give the same digits.
    /// - Returns: digits by bin code, those that were there included.
    public static func assign(
        _ bins: [(code: String, existing: String?)], seed: String
    ) -> [String: String] {
        var result: [String: String] = [:]
        for bin in bins { if let digits = bin.existing, !digits.isEmpty { result[bin.code] = digits } }
        for (position, bin) in bins.enumerated() where result[bin.code] == nil {
            var near = Set(neighbourCodes(of: bin.code).compactMap { result[$0] })
            for step in [-2, -1, 1, 2] where bins.indices.contains(position + step) {
                if let digits = result[bins[position + step].code] { near.insert(digits) }
            }
            result[bin.code] = digits(for: bin.code, seed: seed, avoiding: near)
        }
        return result
    }

    /// The digits of one bin, none of `avoiding`.
    public static func digits(for code: String, seed: String, avoiding: Set<String> = []) -> String {
        var fnv = FNV1a(seed)
        fnv.add(CollectionOfOne(0))
        fnv.add(code.uppercased().utf8)
        let hash = fnv.value ^ (fnv.value >> 29)
        // 37 has no common factor with 100, so that all hundred pairs are tried.
        let first = Int(hash % 100)
        for attempt in 0..<100 {
            let value = (first + attempt * 37) % 100
            let text = value < 10 ? "0\(value)" : String(value)
            if !avoiding.contains(text) { return text }
        }
        return first < 10 ? "0\(first)" : String(first)
    }

    /// Whether a typed text is a bin's check digits.
    public static func match(_ typed: String, _ digits: String) -> Bool {
        !digits.isEmpty && typed.filter { $0 != " " } == digits
    }

    /// The codes next to a bin: each of its numbers one or two lower or higher.
    static func neighbourCodes(of code: String) -> [String] {
        let characters = Array(code)
        var result: [String] = []
        var index = 0
        while index < characters.count {
            var end = index
            while end < characters.count, characters[end].isASCII, characters[end].isNumber { end += 1 }
            guard end > index else {
                index += 1
                continue
            }
            if end - index <= 9, let value = Int(String(characters[index..<end])) {
                for step in [-2, -1, 1, 2] where value + step >= 0 {
                    let number = String(value + step)
                    let padding = String(repeating: "0", count: max(0, end - index - number.count))
                    result.append(String(characters[..<index]) + padding + number + String(characters[end...]))
                }
            }
            index = end
        }
        return result
    }
}
