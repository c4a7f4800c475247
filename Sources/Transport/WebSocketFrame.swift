/// A message as a server sends it, encoded once and sent to any number of connections without another copy.
public struct WebSocketFrame: Sendable {
    /// The header and the payload.
    let bytes: [UInt8]
    /// Counts the bytes for as long as any connection holds them.
    let held: HeldBytes

    /// A text message; the bytes must be UTF-8.
    public init(text: some Sequence<UInt8>) {
        self.init(text: text, heldIn: .process)
    }

    /// A text message.
    public init(_ text: String) {
        self.init(text: text.utf8, heldIn: .process)
    }

    init(text: some Sequence<UInt8>, heldIn sum: HeldBytes.Sum) {
        bytes = WebSocketFrame.encode(.text, text)
        held = HeldBytes(bytes.count, in: sum)
    }

    /// How many bytes travel.
    public var count: Int { bytes.count }

    enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    /// One final frame. A client must mask (RFC 6455, 5.3), a server must not.
    static func encode(_ opcode: Opcode, _ payload: some Sequence<UInt8>, mask: UInt32? = nil, final: Bool = true)
        -> [UInt8]
    {
        if let bytes = payload.withContiguousStorageIfAvailable({
            encode(opcode, UnsafeRawBufferPointer($0), mask: mask, final: final)
        }) {
            return bytes
        }
        return Array(payload).withUnsafeBytes { encode(opcode, $0, mask: mask, final: final) }
    }

    private static func encode(
        _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, mask: UInt32?, final: Bool
    ) -> [UInt8] {
        let count = payload.count
        let headerSize = (count < 126 ? 2 : count < 65536 ? 4 : 10) + (mask == nil ? 0 : 4)
        return [UInt8](unsafeUninitializedCapacity: headerSize + count) { buffer, initialized in
            buffer[0] = opcode.rawValue | (final ? 0x80 : 0)
            let maskBit: UInt8 = mask == nil ? 0 : 0x80
            if count < 126 {
                buffer[1] = maskBit | UInt8(count)
            } else {
                let size = count < 65536 ? 2 : 8
                buffer[1] = maskBit | (size == 2 ? 126 : 127)
                for index in 0..<size {
                    buffer[2 + index] = UInt8(truncatingIfNeeded: count >> (8 * (size - 1 - index)))
                }
            }
            let target = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[headerSize..<headerSize + count])
            target.copyMemory(from: payload)
            if let mask {
                for index in 0..<4 { buffer[headerSize - 4 + index] = UInt8(truncatingIfNeeded: mask >> (8 * index)) }
                applyMask(mask, to: target)
            }
            initialized = headerSize + count
        }
    }

    /// The payload of a close frame. The reason is cut to what a control frame holds.
    static func closePayload(code: UInt16, reason: String) -> [UInt8] {
        var text = Array(reason.utf8.prefix(123))
        while String(validating: text, as: UTF8.self) == nil { text.removeLast() }
        return [UInt8(code >> 8), UInt8(code & 255)] + text
    }

    /// Masks or unmasks; `mask` holds its first byte in its lowest bits.
    static func applyMask(_ mask: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
        let wide = UInt64(mask) | UInt64(mask) << 32
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bytes.storeBytes(of: word ^ wide.littleEndian, toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: mask >> (8 * (index & 3)))
            index += 1
        }
    }
}
