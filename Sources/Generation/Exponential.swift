import Glibc

func exponential(_ x: Float) -> Double { exp(Double(x)) }
