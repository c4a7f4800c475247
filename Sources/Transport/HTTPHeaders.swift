/// The header fields of a message, in the order in which they came. Names are compared without regard to case.
///
/// Kept as the bytes that travel; a field becomes a `String` only when somebody asks for it.
public struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral, Sequence {
    struct Field: Sendable {
        var name: Range<Int>
        var value: Range<Int>
    }

    /// `name: value\r\n` of every field.
    package private(set) var bytes: [UInt8]
    private var fields: [Field]

    /// No fields.
    public init() {
        bytes = []
        fields = []
    }

    /// Fields from pairs of name and value.
    public init(_ pairs: some Sequence<(String, String)>) {
        self.init()
        for (name, value) in pairs { append(name, value) }
    }

    /// Fields from a dictionary literal; a name may stand there twice.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }

    init(bytes: [UInt8], fields: [Field]) {
        self.bytes = bytes
        self.fields = fields
    }

    /// The first value with that name.
    public subscript(_ name: String) -> String? {
        guard let field = fields.first(where: { matches($0, name) }) else { return nil }
        return text(field.value)
    }

    /// All values with that name.
    public func all(_ name: String) -> [String] {
        fields.filter { matches($0, name) }.map { text($0.value) }
    }

    /// Adds a field. Line breaks, which would begin another field, become spaces.
    public mutating func append(_ name: String, _ value: String) {
        let nameStart = bytes.count
        bytes += name.utf8
        let nameEnd = bytes.count
        bytes.append(58)
        bytes.append(32)
        let valueStart = bytes.count
        bytes += value.utf8
        for index in nameStart..<bytes.count where bytes[index] == 10 || bytes[index] == 13 || bytes[index] == 0 {
            bytes[index] = 32
        }
        fields.append(Field(name: nameStart..<nameEnd, value: valueStart..<bytes.count))
        bytes.append(13)
        bytes.append(10)
    }

    /// How many fields there are.
    public var count: Int { fields.count }

    /// The fields as pairs of name and value.
    public func makeIterator() -> some IteratorProtocol<(name: String, value: String)> {
        fields.lazy.map { (name: text($0.name), value: text($0.value)) }.makeIterator()
    }

    /// Whether a comma-separated list field holds a word, such as `close` in `Connection`.
    func lists(_ word: String, in name: String) -> Bool {
        for field in fields where matches(field, name) {
            for item in text(field.value).split(separator: ",") {
                if item.drop(while: { $0 == " " }).lowercased().prefix(while: { $0 != " " && $0 != ";" }) == word {
                    return true
                }
            }
        }
        return false
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func matches(_ field: Field, _ name: String) -> Bool {
        guard field.name.count == name.utf8.count else { return false }
        var index = field.name.lowerBound
        for byte in name.utf8 {
            if asciiLowercased(bytes[index]) != asciiLowercased(byte) { return false }
            index += 1
        }
        return true
    }
}

@inline(__always)
func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte >= 65 && byte <= 90 ? byte | 0x20 : byte
}
