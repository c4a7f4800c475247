extension Document {
    /// Parses a GraphQL document of the October 2021 specification: operations, type definitions, or both.
    ///
    /// Nesting is limited to ``Parser/depthLimit``.
    /// - Parameter tokenLimit: how many tokens it may have; what strangers send should have a limit.
    /// - Throws: ``GraphQLSyntaxError`` with line and column.
    public init(parsing text: String, tokenLimit: Int = .max) throws(GraphQLSyntaxError) {
        try self.init(parsing: Array(text.utf8), tokenLimit: tokenLimit)
    }

    /// Parses a GraphQL document from UTF-8 bytes.
    ///
    /// - Parameter tokenLimit: how many tokens it may have.
    /// - Throws: ``GraphQLSyntaxError`` with line and column.
    public init(parsing bytes: [UInt8], tokenLimit: Int = .max) throws(GraphQLSyntaxError) {
        self = try bytes.withUnsafeBufferPointer { buffer throws(GraphQLSyntaxError) in
            var parser = try Parser(bytes: buffer, tokenLimit: tokenLimit)
            return try parser.document()
        }
    }
}

extension ValueNode {
    /// Parses one value, such as the text of a default.
    ///
    /// - Throws: ``GraphQLSyntaxError`` with line and column.
    public init(parsing text: String) throws(GraphQLSyntaxError) {
        self = try Array(text.utf8).withUnsafeBufferPointer { buffer throws(GraphQLSyntaxError) in
            var parser = try Parser(bytes: buffer)
            let value = try parser.value(constant: false)
            guard parser.token.kind == .end else { throw parser.unexpected("the end") }
            return value
        }
    }
}

/// Recursive descent with one token of look-ahead.
struct Parser {
    /// How deep selections, values and types may nest.
    static let depthLimit = 128

    private var lexer: Lexer
    private(set) var token: Token
    private var depth = 0
    private var tokensLeft: Int
    private let tokenLimit: Int

    init(bytes: UnsafeBufferPointer<UInt8>, tokenLimit: Int = .max) throws(GraphQLSyntaxError) {
        lexer = Lexer(bytes: bytes)
        token = try lexer.next()
        self.tokenLimit = tokenLimit
        tokensLeft = tokenLimit
    }

    // MARK: tokens

    mutating func advance() throws(GraphQLSyntaxError) {
        tokensLeft -= 1
        token = try lexer.next()
        guard tokensLeft > 0 || token.kind == .end else {
            throw GraphQLSyntaxError(
                line: token.position.line, column: token.position.column,
                message: "the document has more than \(tokenLimit) tokens", isLimit: true)
        }
    }

    func text(_ token: Token) -> String {
        String(decoding: UnsafeBufferPointer(rebasing: lexer.bytes[token.range]), as: UTF8.self)
    }

    func unexpected(_ expected: String) -> GraphQLSyntaxError {
        let found: String
        switch token.kind {
        case .end: found = "the end"
        case .string, .blockString: found = "a string"
        default: found = "'\(text(token).prefix(40))'"
        }
        return failure("expected \(expected), found \(found)")
    }

    func failure(_ message: String) -> GraphQLSyntaxError {
        GraphQLSyntaxError(line: token.position.line, column: token.position.column, message: message)
    }

    func at(_ character: Unicode.Scalar) -> Bool {
        token.kind == .punctuator(UInt8(truncatingIfNeeded: character.value))
    }

    mutating func take(_ character: Unicode.Scalar) throws(GraphQLSyntaxError) -> Bool {
        guard at(character) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(GraphQLSyntaxError) {
        guard try take(character) else { throw unexpected("'\(character)'") }
    }

    func at(keyword: StaticString) -> Bool {
        guard token.kind == .name, token.range.count == keyword.utf8CodeUnitCount else { return false }
        return lexer.bytes[token.range].elementsEqual(
            UnsafeBufferPointer(start: keyword.utf8Start, count: keyword.utf8CodeUnitCount))
    }

    mutating func take(keyword: StaticString) throws(GraphQLSyntaxError) -> Bool {
        guard at(keyword: keyword) else { return false }
        try advance()
        return true
    }

    mutating func name(_ what: String = "a name") throws(GraphQLSyntaxError) -> String {
        guard token.kind == .name else { throw unexpected(what) }
        let result = text(token)
        try advance()
        return result
    }

    mutating func string() throws(GraphQLSyntaxError) -> String {
        let result = try lexer.text(of: token)
        try advance()
        return result
    }

    mutating func nested<Result>(
        _ body: (inout Parser) throws(GraphQLSyntaxError) -> Result
    ) throws(GraphQLSyntaxError) -> Result {
        depth += 1
        guard depth <= Self.depthLimit else { throw failure("nested too deep") }
        let result = try body(&self)
        depth -= 1
        return result
    }

    /// `open element+ close`
    mutating func many<Element>(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        _ element: (inout Parser) throws(GraphQLSyntaxError) -> Element
    ) throws(GraphQLSyntaxError) -> [Element] {
        try expect(open)
        var result: [Element] = []
        repeat { result.append(try element(&self)) } while try !take(close)
        return result
    }

    /// `many`, or nothing where it does not open.
    mutating func optionalMany<Element>(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        _ element: (inout Parser) throws(GraphQLSyntaxError) -> Element
    ) throws(GraphQLSyntaxError) -> [Element] {
        at(open) ? try many(open, close, element) : []
    }

    // MARK: shared by operations and type definitions

    mutating func value(constant: Bool) throws(GraphQLSyntaxError) -> ValueNode {
        let position = token.position
        switch token.kind {
        case .int:
            let digits = text(token)
            try advance()
            return ValueNode(.int(digits), position: position)
        case .float:
            let digits = text(token)
            try advance()
            return ValueNode(.float(digits), position: position)
        case .string, .blockString: return ValueNode(.string(try string()), position: position)
        case .name:
            if try take(keyword: "true") { return ValueNode(.boolean(true), position: position) }
            if try take(keyword: "false") { return ValueNode(.boolean(false), position: position) }
            if try take(keyword: "null") { return ValueNode(.null, position: position) }
            return ValueNode(.enumeration(try name()), position: position)
        case .punctuator(UInt8(ascii: "$")):
            guard !constant else { throw failure("a variable cannot stand here") }
            try advance()
            return ValueNode(.variable(try name()), position: position)
        case .punctuator(UInt8(ascii: "[")):
            return try nested { parser throws(GraphQLSyntaxError) in
                try parser.advance()
                var elements: [ValueNode] = []
                while try !parser.take("]") { elements.append(try parser.value(constant: constant)) }
                return ValueNode(.list(elements), position: position)
            }
        case .punctuator(UInt8(ascii: "{")):
            return try nested { parser throws(GraphQLSyntaxError) in
                try parser.advance()
                var members: [Argument] = []
                while try !parser.take("}") { members.append(try parser.argument(constant: constant)) }
                return ValueNode(.object(members), position: position)
            }
        default: throw unexpected("a value")
        }
    }

    mutating func argument(constant: Bool) throws(GraphQLSyntaxError) -> Argument {
        let position = token.position
        let name = try name("an argument")
        try expect(":")
        return Argument(name, try value(constant: constant), position: position)
    }

    mutating func arguments(constant: Bool) throws(GraphQLSyntaxError) -> [Argument] {
        try optionalMany("(", ")") { parser throws(GraphQLSyntaxError) in try parser.argument(constant: constant) }
    }

    mutating func directives(constant: Bool) throws(GraphQLSyntaxError) -> [Directive] {
        var result: [Directive] = []
        while at("@") {
            let position = token.position
            try advance()
            let name = try name("a directive's name")
            result.append(Directive(name, arguments: try arguments(constant: constant), position: position))
        }
        return result
    }

    mutating func typeReference() throws(GraphQLSyntaxError) -> TypeReference {
        let position = token.position
        let type: TypeReference
        if at("[") {
            type = try nested { parser throws(GraphQLSyntaxError) in
                try parser.advance()
                let element = try parser.typeReference()
                try parser.expect("]")
                return .list(element, position: position)
            }
        } else {
            type = .named(try name("a type"), position: position)
        }
        return try take("!") ? .nonNull(type) : type
    }
}
