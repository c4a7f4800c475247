extension Lexer {
    /// The text of a string token, escapes resolved (spec §2.9.4).
    func text(of token: Token) throws(GraphQLSyntaxError) -> String {
        let slice = UnsafeBufferPointer(rebasing: bytes[token.range])
        if token.kind == .blockString { return try blockText(slice, token) }
        guard token.hasEscapes else { return try decoded(slice, token) }
        var result: [UInt8] = []
        result.reserveCapacity(slice.count)
        var index = 0
        while index < slice.count {
            let byte = slice[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < slice.count else { throw failure(token, "unfinished escape") }
            let escape = slice[index]
            index += 1
            switch escape {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "u"):
                let scalar = try unicode(slice, &index, token)
                result.append(contentsOf: String(scalar).utf8)
            default: throw failure(token, "unknown escape in a string")
            }
        }
        return try result.withUnsafeBufferPointer { buffer throws(GraphQLSyntaxError) in try decoded(buffer, token) }
    }

    private func failure(_ token: Token, _ message: String) -> GraphQLSyntaxError {
        GraphQLSyntaxError(line: token.position.line, column: token.position.column, message: message)
    }

    private func decoded(_ bytes: UnsafeBufferPointer<UInt8>, _ token: Token) throws(GraphQLSyntaxError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure(token, "text is not UTF-8") }
        return text
    }

    /// `\uXXXX`, a surrogate pair of two, or `\u{…}`.
    private func unicode(
        _ slice: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ token: Token
    ) throws(GraphQLSyntaxError) -> Unicode.Scalar {
        var code: UInt32
        if index < slice.count, slice[index] == UInt8(ascii: "{") {
            index += 1
            let start = index
            code = 0
            while index < slice.count, slice[index] != UInt8(ascii: "}") {
                code = code << 4 | (try hexadecimal(slice[index], token))
                index += 1
                guard index - start <= 6 else { throw failure(token, "too many digits in an escape") }
            }
            guard index < slice.count, index > start else { throw failure(token, "unfinished escape") }
            index += 1
        } else {
            code = try fourDigits(slice, &index, token)
            if 0xD800..<0xDC00 ~= code, index + 1 < slice.count, slice[index] == UInt8(ascii: "\\"),
                slice[index + 1] == UInt8(ascii: "u")
            {
                index += 2
                let low = try fourDigits(slice, &index, token)
                guard 0xDC00..<0xE000 ~= low else { throw failure(token, "half a surrogate pair in an escape") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure(token, "the escape is no character") }
        return scalar
    }

    private func fourDigits(
        _ slice: UnsafeBufferPointer<UInt8>, _ index: inout Int, _ token: Token
    ) throws(GraphQLSyntaxError) -> UInt32 {
        guard index + 4 <= slice.count else { throw failure(token, "unfinished escape") }
        var code: UInt32 = 0
        for byte in slice[index..<index + 4] { code = code << 4 | (try hexadecimal(byte, token)) }
        index += 4
        return code
    }

    private func hexadecimal(_ byte: UInt8, _ token: Token) throws(GraphQLSyntaxError) -> UInt32 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(byte - 48)
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt32(byte - 87)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt32(byte - 55)
        default: throw failure(token, "an escape needs hexadecimal digits")
        }
    }

    /// Removes the common indentation and blank first and last lines (spec `BlockStringValue`).
    private func blockText(_ slice: UnsafeBufferPointer<UInt8>, _ token: Token) throws(GraphQLSyntaxError) -> String {
        var lines: [[UInt8]] = [[]]
        var index = 0
        while index < slice.count {
            let byte = slice[index]
            index += 1
            if byte == 13 || byte == 10 {
                if byte == 13, index < slice.count, slice[index] == 10 { index += 1 }
                lines.append([])
            } else if byte == UInt8(ascii: "\\"), index + 2 < slice.count,
                slice[index..<index + 3].allSatisfy({ $0 == UInt8(ascii: "\"") })
            {
                lines[lines.count - 1] += [34, 34, 34]
                index += 3
            } else {
                lines[lines.count - 1].append(byte)
            }
        }
        let isBlank: ([UInt8]) -> Bool = { line in line.allSatisfy { $0 == 32 || $0 == 9 } }
        let indentation: ([UInt8]) -> Int = { line in line.prefix { $0 == 32 || $0 == 9 }.count }
        let common = lines.dropFirst().filter { !isBlank($0) }.map(indentation).min() ?? 0
        for position in lines.indices.dropFirst() { lines[position].removeFirst(min(common, lines[position].count)) }
        let first = lines.firstIndex { !isBlank($0) } ?? lines.endIndex
        let end = lines.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? first
        let joined = Array(lines[first..<end].joined(separator: [10]))
        return try joined.withUnsafeBufferPointer { buffer throws(GraphQLSyntaxError) in try decoded(buffer, token) }
    }
}
