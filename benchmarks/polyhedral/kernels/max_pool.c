/* The largest of each 3 x 3 window, two apart: neighbours overlap. */
void KERNEL_NAME(float (*restrict x)[113][113], float (*restrict y)[56][56]) {
  for (int c = 0; c < 64; ++c)
    for (int i = 0; i < 56; ++i)
      for (int j = 0; j < 56; ++j) {
        float largest = -1e30f;
        for (int k = 0; k < 3; ++k)
          for (int l = 0; l < 3; ++l) {
            float value = x[c][2 * i + k][2 * j + l];
            largest = value > largest ? value : largest;
          }
        y[c][i][j] = largest;
      }
}
