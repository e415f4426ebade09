/* Two half steps of heat diffusion in each time step. */
#define STEP(a, i, j, k)                                                                                     \
  (0.125f * (a[i + 1][j][k] - 2.0f * a[i][j][k] + a[i - 1][j][k]) +                                          \
   0.125f * (a[i][j + 1][k] - 2.0f * a[i][j][k] + a[i][j - 1][k]) +                                          \
   0.125f * (a[i][j][k + 1] - 2.0f * a[i][j][k] + a[i][j][k - 1]) + a[i][j][k])

void KERNEL_NAME(float (*restrict a)[200][200], float (*restrict b)[200][200]) {
  for (int t = 0; t < 20; ++t) {
    for (int i = 1; i < 199; ++i)
      for (int j = 1; j < 199; ++j)
        for (int k = 1; k < 199; ++k)
          b[i][j][k] = STEP(a, i, j, k);
    for (int i = 1; i < 199; ++i)
      for (int j = 1; j < 199; ++j)
        for (int k = 1; k < 199; ++k)
          a[i][j][k] = STEP(b, i, j, k);
  }
}
