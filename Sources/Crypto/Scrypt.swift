import COpenSSL

/// scrypt (RFC 7914): makes guessing what a person can remember slow and large in memory.
public enum Scrypt {
    /// What a derivation costs; stored beside what it made, so that it may grow later.
    public struct Parameters: Sendable, Hashable {
        /// N, a power of two above 1: time and memory.
        public var cost: UInt64
        /// r: the block size.
        public var blockSize: UInt64
        /// p: how often it is done.
        public var parallelization: UInt64

        /// Names the cost.
        public init(cost: UInt64, blockSize: UInt64, parallelization: UInt64) {
            self.cost = cost
            self.blockSize = blockSize
            self.parallelization = parallelization
        }

        /// 32 MiB and some tens of milliseconds.
        public static let interactive = Parameters(cost: 1 << 15, blockSize: 8, parallelization: 1)
    }

    /// More than this a derivation may not take.
    private static let memoryLimit: UInt64 = 256 << 20

    /// Derives a key; nil where the parameters are none, or ask for more than 256 MiB.
    public static func derive(
        _ password: [UInt8], salt: [UInt8], _ parameters: Parameters, byteCount: Int = 32
    ) -> [UInt8]? {
        var isDone = false
        let key = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            isDone = password.withUnsafeBytes { bytes in
                EVP_PBE_scrypt(
                    bytes.bindMemory(to: CChar.self).baseAddress, bytes.count, salt, salt.count, parameters.cost,
                    parameters.blockSize, parameters.parallelization, memoryLimit, buffer.baseAddress, byteCount) == 1
            }
            count = isDone ? byteCount : 0
        }
        return isDone ? key : nil
    }

    /// Derives a key from a text's bytes.
    public static func derive(
        _ password: String, salt: [UInt8], _ parameters: Parameters, byteCount: Int = 32
    ) -> [UInt8]? {
        derive(Array(password.utf8), salt: salt, parameters, byteCount: byteCount)
    }
}
