struct Plot {
    init(trials: [Trial], nsPerTick: Double) {}
    var svg: String { "" }
}
