import Basics

extension ScalarType {
    /// Whether text is a valid value of one of the AWS scalars kept as text (`appsync-protocol.md` §1.7).
    ///
    /// Types that are not kept as text accept anything here.
    public func isValid(_ text: String) -> Bool {
        switch self {
        case .awsDate: Self.isDate(text)
        case .awsTime: Self.isTime(text)
        case .awsEmail: Self.isEmail(text)
        case .awsPhone: Self.isPhone(text)
        case .awsURL: Self.isURL(text)
        case .awsIPAddress: Self.isIPAddress(text)
        default: true
        }
    }

    private static func isDate(_ text: String) -> Bool {
        var scan = DigitScanner(text)
        guard let year = scan.digits(4), scan.take("-"), let month = scan.digits(2), scan.take("-"),
            let day = scan.digits(2)
        else { return false }
        return CivilDate(year: year, month: month, day: day) != nil && scan.offsetSeconds() != nil && scan.atEnd
    }

    private static func isTime(_ text: String) -> Bool {
        var scan = DigitScanner(text)
        guard let hour = scan.digits(2), hour < 24, scan.take(":"), let minute = scan.digits(2), minute < 60 else {
            return false
        }
        if scan.take(":") {
            guard let second = scan.digits(2), second < 61 else { return false }
            if scan.take(".") { _ = scan.fraction(places: 9) }
        }
        return scan.offsetSeconds() != nil && scan.atEnd
    }

    private static func isEmail(_ text: String) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let local = text[..<at]
        let domain = text[text.index(after: at)...]
        return !local.isEmpty && !domain.isEmpty && !text.contains(where: \.isWhitespace)
            && !local.contains("@")
            && domain.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
    }

    private static func isPhone(_ text: String) -> Bool {
        let hasCountry = text.hasPrefix("+")
        var digits = 0
        for character in text.dropFirst(hasCountry ? 1 : 0) {
            if character.isASCII, character.isNumber {
                digits += 1
            } else if character != " ", character != "-", character != "(", character != ")" {
                return false
            }
        }
        return hasCountry ? (5...15).contains(digits) : (digits == 10 || digits == 11)
    }

    private static func isURL(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":") else { return false }
        let scheme = text[..<colon]
        guard let first = scheme.first, first.isASCII, first.isLetter,
            scheme.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) })
        else { return false }
        let rest = text[text.index(after: colon)...]
        guard rest.hasPrefix("//") else { return !rest.isEmpty && !rest.contains(where: \.isWhitespace) }
        let address = rest.dropFirst(2)
        guard !address.isEmpty, !address.hasPrefix("/"), !address.contains(where: \.isWhitespace) else { return false }
        let path = address.prefix { $0 != "?" && $0 != "#" }.drop { $0 != "/" }
        return !path.includes("//")
    }

    private static func isIPAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let prefix = parts.count == 2 && parts[1].allSatisfy(\.isWholeNumber) ? Int(parts[1]) : nil
        if parts.count == 2, prefix == nil { return false }
        let address = parts[0]
        if address.contains(":") {
            return isIPv6(address) && (0...128).contains(prefix ?? 0)
        }
        return isIPv4(address) && (0...32).contains(prefix ?? 0)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { $0.allSatisfy(\.isNumber) && $0.count <= 3 && (Int($0).map { $0 < 256 } ?? false) }
    }

    private static func isIPv6(_ text: Substring) -> Bool {
        var groups = text.split(separator: ":", omittingEmptySubsequences: false)
        var wanted = 8
        if let last = groups.last, last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            wanted = 6
        }
        let joined = text.components(of: "::")
        guard joined <= 1, !text.includes(":::"), !text.hasPrefix(":") || text.hasPrefix("::"),
            !text.hasSuffix(":") || text.hasSuffix("::")
        else { return false }
        let filled = groups.filter { !$0.isEmpty }
        guard filled.allSatisfy({ $0.count <= 4 && $0.allSatisfy(\.isHexDigit) }) else { return false }
        return joined == 1 ? filled.count < wanted : filled.count == wanted && groups.count == wanted
    }
}

extension Substring {
    /// How often `part` occurs, without overlap.
    fileprivate func components(of part: String) -> Int {
        var count = 0
        var rest = self
        while let range = rest.range(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
