/// A size in character cells.
public struct GridSize: Hashable, Sendable, CustomStringConvertible {
    /// Columns.
    public var width: Int
    /// Rows.
    public var height: Int

    /// Makes a size of `width` columns and `height` rows.
    public init(_ width: Int, _ height: Int) {
        self.width = width
        self.height = height
    }

    /// Reads `80x24`; nil where the text is no size of 1 to 999 cells each way.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]),
            (1...999).contains(width), (1...999).contains(height)
        else { return nil }
        self.init(width, height)
    }

    /// The form written in screen files: `80x24`.
    public var description: String { "\(width)x\(height)" }

    /// The number of cells.
    public var area: Int { width * height }

    /// Whether something of this size can be shown inside `other`.
    public func fits(in other: GridSize) -> Bool { width <= other.width && height <= other.height }
}
