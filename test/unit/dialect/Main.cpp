//===-- Main.cpp - The one main function of the dialect's tests -----------------------------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
