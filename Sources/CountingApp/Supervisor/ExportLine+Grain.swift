import WarehouseModels

extension ExportLine {
    /// What it is a line of, in the words of the floor: `A-01 4711-AX` of the key `bin=A-01;item=4711-AX`.
    var grain: String {
        var values: [String] = []
        var value: String?
        var isEscaped = false
        for character in grainKey {
            if isEscaped || (character != "\\" && character != "=" && character != ";") {
                value?.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                if character == ";", let value { values.append(value) }
                value = character == "=" ? "" : nil
            }
        }
        if let value { values.append(value) }
        return values.filter { !$0.isEmpty }.joined(separator: " ")
    }
}
