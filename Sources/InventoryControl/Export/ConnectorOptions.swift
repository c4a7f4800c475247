import Counting
import WarehouseModels

/// One way out to an ERP: where documents go, and what a posted count means there.
public struct ConnectorOptions: Sendable, Hashable {
    /// Where the documents go.
    public enum Channel: Sendable, Hashable {
        /// A file per document, dropped into a directory.
        case csv(directory: String)
        /// A program that is given the document: `PROGRAM send`, and `PROGRAM find ID` after a cut-off send.
        case executable(program: String)
    }

    /// The name in documents; two connectors of one site must differ in it.
    public var name: String
    /// Where the documents go.
    public var channel: Channel
    /// What a posted count means to the ERP.
    public var semantics: PostingSemantics
    /// What one line sums.
    public var grain: ExportGrain
    /// At most so many lines in one document.
    public var mostLines: Int
    /// After this long a program is ended, and its document is unknown.
    public var timeoutMilliseconds: Int64

    /// Describes a connector.
    public init(
        name: String, channel: Channel, semantics: PostingSemantics = .COUNT_VERSUS_BOOK,
        grain: ExportGrain = ExportGrain([.bin, .item, .lot, .owner, .status, .plate]), mostLines: Int = 1000,
        timeoutMilliseconds: Int64 = 30_000
    ) {
        self.name = name
        self.channel = channel
        self.semantics = semantics
        self.grain = grain
        self.mostLines = mostLines
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Drops each document as a CSV file into a directory.
    public static func csv(directory: String) -> ConnectorOptions {
        ConnectorOptions(name: "csv", channel: .csv(directory: directory))
    }

    /// Hands each document to a program.
    public static func executable(program: String) -> ConnectorOptions {
        ConnectorOptions(name: "exec", channel: .executable(program: program))
    }
}
